"""A second, naive implementation of planning, and random deployments on which the real one is compared with it."""
