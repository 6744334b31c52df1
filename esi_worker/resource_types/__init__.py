"""The built-in resource types; they come in by entry points, as any other."""
