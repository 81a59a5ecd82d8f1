"""Containers of ECS tasks: as processes, or inside a test's process."""
