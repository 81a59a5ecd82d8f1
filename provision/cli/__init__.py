"""The command line: one module per command, with its options and its function."""
