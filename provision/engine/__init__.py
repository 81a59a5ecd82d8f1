"""The engine: inspects, creates in order, deletes in the opposite order; knows no resource by name."""
