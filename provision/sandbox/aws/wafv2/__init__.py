"""AWS WAF."""
