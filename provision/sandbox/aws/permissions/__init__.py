"""IAM's policies, evaluated for every call."""
