"""The built-in parameter resolvers; they come in by entry points, as any other."""
