"""The stages: reader, job manager, worker, collector; they meet in the store."""
