"""What every plug-in must keep to, as tests that an author adds to their own.

::

    from esi_worker.testing import conformance

    class GreeterTest(conformance.HandlerConformance, unittest.TestCase):
        def make_handler(self): ...
        def make_job(self, number=0): ...

Each base has a few methods to fill in and some that may be filled in; its own docstring says which.  A failure says
what was seen and, after an arrow, what to change.
"""

from esi_worker.testing.handler_conformance import HandlerConformance
from esi_worker.testing.kit import job
from esi_worker.testing.probe_conformance import ProbeConformance
from esi_worker.testing.resolver_conformance import Lookup
from esi_worker.testing.resolver_conformance import ResolverConformance

__all__ = ["HandlerConformance", "Lookup", "ProbeConformance", "ResolverConformance", "job"]
