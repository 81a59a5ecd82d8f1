"""AWS, emulated by moto and by rules where moto differs from AWS."""
