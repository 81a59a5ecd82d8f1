"""stack.yaml on disk: settings, records, validation, atomic writes, backup and lock."""
