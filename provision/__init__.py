"""From a domain and a LINE channel to a LINE bot on AWS, and back to nothing."""

__version__ = "0.1.0"
