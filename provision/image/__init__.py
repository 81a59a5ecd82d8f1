"""Build the bot's container image without Docker from a base's layers, the wheels and the code.

base.py reads the base, wheels.py and code.py make a layer each, assembled.py adds configuration and manifest,
inputs.py defines what an image is made of and its tag.
"""
