"""All that knows etcd: keys, documents, transactions, leases, the watch."""
