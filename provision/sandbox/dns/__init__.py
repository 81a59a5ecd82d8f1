"""The sandbox's DNS, and the registrar."""
