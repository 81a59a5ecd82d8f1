"""Emulators of AWS, DNS, a registrar and LINE on this machine."""
