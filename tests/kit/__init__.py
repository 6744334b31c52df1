"""Plug-ins that the conformance tests must let pass, and such that they must catch."""
