"""The checks of `provision verify`."""
