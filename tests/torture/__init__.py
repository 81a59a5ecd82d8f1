"""What a person fears, done on purpose: `make torture` prints what came of it."""
