"""All of esi-worker on one machine: ``python -m esi_worker.testing.demo``, or ``make demo``.

A real etcd, stand-ins for Heat and for two routers, and the daemon as a process of its own.  The resources of
``examples/gateway-world`` are applied; what becomes of them is shown as it happens, and at the end the way of the
gateway through all seven points.

:mod:`~esi_worker.testing.demo.world` reads what the world needs, :mod:`~esi_worker.testing.demo.parts` starts and
ends it, :mod:`~esi_worker.testing.demo.progress` tells how far each resource is, and
:mod:`~esi_worker.testing.demo.screen` shows it.
"""
