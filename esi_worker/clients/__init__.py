"""The doors to the outside: Heat, NETCONF, templates.  Thin, blocking, translating errors."""
