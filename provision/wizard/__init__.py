"""What a person is asked: settings, the domain in use, the LINE channel."""
