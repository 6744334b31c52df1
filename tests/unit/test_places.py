import unittest

from esi_worker import api
from esi_worker.pipeline import catalog as catalogs
from esi_worker.pipeline import places
from esi_worker.store import base
from esi_worker.store import keys
from esi_worker.store import memory

PORT = api.Ref("port", "p")
NETWORK = api.Ref("network", "n")
CATALOG = {"types": [{"id": "port"}, {"id": "network", "prefix": "v3.0"}], "relations": {"port": {"x_id": "tenant"}}}


class CountingStore(memory.MemoryStore):
    """Counts what it is asked."""

    asked = 0

    def transact(self, compares, success, failure=()):
        self.asked += 1
        return super().transact(compares, success, failure)


class PlacesTest(unittest.TestCase):
    def setUp(self):
        self.store = CountingStore()
        self.catalog = catalogs.Catalog.from_document(CATALOG, open=True)
        self.places = places.Places(self.store, self.catalog)

    def write(self, ref, path):
        for each in places.to_write(self.catalog, ref, keys.parse_path(path)):
            self.store.put(each.key, each.value)

    def test_nobody_is_asked_what_the_catalog_tells(self):
        self.assertEqual("v3.0/networks/n", str(self.places.path(NETWORK)))
        self.assertEqual(0, self.store.asked)
        self.assertEqual((), places.to_write(self.catalog, NETWORK, keys.parse_path("v3.0/networks/n")))

    def test_the_usual_place_is_not_written_down(self):
        self.assertEqual((), places.to_write(self.catalog, PORT, keys.parse_path("v2.0/ports/p")))
        self.assertEqual("v2.0/ports/p", str(self.places.path(PORT)))

    def test_another_one_is_found_by_whoever_has_the_same_catalog(self):
        tenant = api.Ref("tenant", "t")
        self.write(PORT, "campus/v9/ports/p")
        self.write(tenant, "common/v1.0/tenants/t")
        other = places.Places(self.store, catalogs.Catalog.from_document(CATALOG))
        found = other.paths([PORT, NETWORK, tenant, PORT])
        self.assertEqual(
            ["campus/v9/ports/p", "v3.0/networks/n", "common/v1.0/tenants/t"], [str(each) for each in found.values()]
        )
        self.assertEqual(1, self.store.asked)

    def test_one_of_a_type_that_no_catalog_has(self):
        path = keys.parse_path("v7/ropes/r")
        rope = api.Ref(self.catalog.type_of_path(path).id, "r")
        self.write(rope, str(path))
        other = places.Places(self.store, catalogs.Catalog.from_document(CATALOG))
        self.assertEqual(path, other.path(rope))
        with self.assertRaisesRegex(api.CatalogError, "unknown resource type 'rope' of rope:s"):
            other.path(api.Ref("rope", "s"))

    def test_what_somebody_else_wrote_is_left_aside(self):
        for value in (b"{", b'"nowhere"', b"7"):
            self.store.put(keys.place(PORT), value)
            with self.assertLogs(places.LOG.logger, "ERROR"):
                self.assertEqual("v2.0/ports/p", str(self.places.path(PORT)))

    def test_no_id_leaves_its_key(self):
        with self.assertRaises(api.DocumentError):
            self.places.path(api.Ref("port", "a/b"))
        self.assertEqual([], list(self.store.list(keys.OWN).entries))
        self.assertIsInstance(places.to_write(self.catalog, PORT, keys.parse_path("x/ports/p"))[0], base.Put)
