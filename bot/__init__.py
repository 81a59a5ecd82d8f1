"""A LINE bot that answers with news."""
