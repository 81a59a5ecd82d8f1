"""Elastic Load Balancing: the API, and the data plane of its load balancers."""
