"""The built-in handlers; they come in by entry points, as any other."""
