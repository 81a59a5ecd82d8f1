"""Containers of ECS tasks, as processes or within a test's process."""
