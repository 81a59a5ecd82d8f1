"""Clients of everything outside this process: AWS, LINE, DNS, container registries, the package index."""
