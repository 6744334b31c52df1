"""The parameter mapping language: grammar and evaluation."""
