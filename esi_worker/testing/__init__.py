"""Shipped to plug-in authors: stand-ins, fixtures, conformance tests."""
