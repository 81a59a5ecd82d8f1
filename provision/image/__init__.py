"""The bot's container image, assembled here without Docker: a base's layers, the wheels, the code.

base.py reads the base, wheels.py and code.py make a layer each, assembled.py puts configuration and
manifest on them, inputs.py says what all of it is made of and what it is called.
"""
