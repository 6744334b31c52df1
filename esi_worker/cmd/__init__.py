"""The commands: the daemon and the operator's command line."""
