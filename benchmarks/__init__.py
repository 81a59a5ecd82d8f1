"""Measurements, run by hand; what they gave is in RESULTS.md."""
