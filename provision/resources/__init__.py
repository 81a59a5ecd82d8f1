"""One file per AWS or LINE resource; base.py defines a resource."""
