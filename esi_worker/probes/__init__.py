"""The built-in probes; they come in by entry points, as any other."""
