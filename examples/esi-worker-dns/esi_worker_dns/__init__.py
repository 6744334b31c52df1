"""DNS records as resources of esi-worker.

A ``dns_zone`` says which name server takes updates for it, a ``dns_name`` which addresses a name in it shall have.
Nothing of this needs Heat.
"""
