"""The bot that remains in someone's LINE after the wizard is forgotten: news, by a word."""
