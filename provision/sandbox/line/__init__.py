"""A LINE platform with one channel."""
