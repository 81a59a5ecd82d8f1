"""Evaluation of IAM policies for every call."""
