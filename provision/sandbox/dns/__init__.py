"""The DNS that the sandbox answers, and the registrar."""
