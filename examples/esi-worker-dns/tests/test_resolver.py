import unittest

from esi_worker_dns import resolver
from esi_worker_dns import resource_types

from esi_worker import api
from esi_worker.testing import conformance
from tests import documents


class FqdnTest(conformance.ResolverConformance, unittest.TestCase):
    name = "fqdn"

    def make_resolver(self):
        return resolver.Fqdn()

    def make_resource(self):
        return api.Resource(documents.NAME, documents.name())

    def make_arguments(self):
        return {"label": "name", "zone": "zone_id"}

    def make_relatives(self):
        return [api.Resource(documents.ZONE, documents.zone(53))]

    def relations(self):
        return {"dns_name": resource_types.DNS_NAME.relations}

    def resolve(self, **members):
        lookup = conformance.Lookup(self.make_relatives(), self.relations())
        return self.make_resolver().resolve({}, api.Resource(documents.NAME, documents.name(**members)), lookup)

    def test_values(self):
        self.assertEqual(self.resolve(), "www.example.org.")
        self.assertEqual(self.resolve(name="a.b"), "a.b.example.org.")
        self.assertEqual(self.resolve(name="@"), "example.org.")

    def test_field_without_text(self):
        with self.assertRaisesRegex(api.PermanentError, "dns_name:www has no text in its field 'name'"):
            self.resolve(name=7)


if __name__ == "__main__":
    unittest.main()
