"""Interactive questions: settings, the domain in use, the LINE channel; and recovery of stack.yaml."""
