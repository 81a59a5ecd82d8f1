"""Build the bot's container image without Docker from a base's layers, the wheels and the code.

base.py reads the base image, wheels.py and code.py make one layer each, assembled.py adds configuration and
manifest, inputs.py defines the inputs of an image and its tag.
"""
