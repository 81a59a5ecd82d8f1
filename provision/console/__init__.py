"""The console page: a stack by steps and, in the sandbox, a LINE chat and what goes on behind it."""
