"""Clients for AWS, LINE, DNS, container registries and the Python package index."""
