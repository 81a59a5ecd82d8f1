"""The Resource Groups Tagging API, and the limits of tags."""
