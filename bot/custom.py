"""Your own commands: see "Make the bot say something else" in README.md."""
