"""Systems Manager Parameter Store."""
