"""A plug-in whose import fails with an error that stevedore lets through."""

raise AssertionError("nobody shall import this")
