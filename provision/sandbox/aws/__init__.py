"""AWS on moto, with rules where moto differs from AWS."""
