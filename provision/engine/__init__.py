"""The engine: inspect, create in dependency order, delete in reverse; independent of particular resources."""
