"""The built-in resolvers give what the path mapping of the same parameter gives, resources included."""

import unittest

from esi_worker import api
from esi_worker.mapping import evaluation
from tests import builtin
from tests import worlds


class TestResolvers(unittest.TestCase):
    def setUp(self):
        self.world = worlds.read(builtin.ROOT / "examples" / "gateway-world")
        self.gateway = self.world.only("common_function_gateway")

    def evaluate(self, mapping, name="x", **options):
        return evaluation.evaluate(name, mapping, self.gateway, self.world, builtin.RESOLVERS, **options)

    def both(self):
        """Each resolver mapping, with the path mapping that means the same."""
        for role in ("primary", "secondary"):
            path = ["downlink_interface_id", "ha_router_id", f"{role}_router_id"]
            for attribute, field in [
                ("ip", "ip"), ("port", "ssh_port"), ("username", "login"), ("login", "login"), ("password", "password")
            ]:  # fmt: skip
                arguments = {"resolver": "device_credentials", "role": role, "attribute": attribute}
                yield arguments, {"field": field, "path": path}
        pool = self.world.only("common_function_pool")
        for attribute in [*pool.body, "missing"]:
            arguments = {"resolver": "pool_groups", "attribute": attribute}
            yield arguments, {"field": attribute, "path": ["common_function_pool_id"]}
        source = {"field": "vrrp_config", "path": ["common_function_pool_id"]}
        yield {"resolver": "vrids"}, {"for_field": source, "for_mapping": {"field": "vrid"}}

    def test_each_gives_what_the_path_gives(self):
        for resolver, path in self.both():
            with self.subTest(resolver):
                self.assertEqual(self.evaluate(path), self.evaluate(resolver))

    def test_secrets_stand_as_the_same_references(self):
        for resolver, path in self.both():
            with self.subTest(resolver):
                found = self.evaluate(resolver, "device_password", secrets="reference")
                if found.type == api.SECRET or resolver.get("attribute") == "password":
                    self.assertEqual(self.evaluate(path, "device_password", secrets="reference"), found)

    def test_whatever_is_missing_is_missing_in_the_same_way(self):
        for resolver, path in self.both():
            for ref in self.evaluate(path).resources:
                gone = self.world.resources.pop(ref)
                with self.subTest(resolver, gone=ref):
                    with self.assertRaises(evaluation.MissingHop) as by_path:
                        self.evaluate(path)
                    with self.assertRaises(evaluation.MissingHop) as by_resolver:
                        self.evaluate(resolver)
                    self.assertEqual(by_path.exception.message, by_resolver.exception.message)
                    self.assertEqual(ref, by_resolver.exception.ref)
                self.world.resources[ref] = gone

    def test_an_empty_relation_is_missing_in_the_same_way(self):
        for resolver, path in self.both():
            for field in ("downlink_interface_id", "common_function_pool_id"):
                self.gateway.body[field] = ""
            with self.subTest(resolver):
                with self.assertRaises(evaluation.MissingHop) as by_path:
                    self.evaluate(path)
                with self.assertRaises(evaluation.MissingHop) as by_resolver:
                    self.evaluate(resolver)
                self.assertEqual(by_path.exception.message, by_resolver.exception.message)

    def test_vrids_of_odd_pools(self):
        pool = self.world.only("common_function_pool")
        source = {"field": "vrrp_config", "path": ["common_function_pool_id"]}
        path = {"for_field": source, "for_mapping": {"field": "vrid"}}
        for odd in (None, "", [], [{}], [{"vrid": None}, {"vrid": "7"}], ["text", 5]):
            with self.subTest(odd):
                pool.body["vrrp_config"] = odd
                self.assertEqual(self.evaluate(path), self.evaluate({"resolver": "vrids"}))
        pool.body["vrrp_config"] = {"vrid": 1}
        with self.assertRaisesRegex(evaluation.MappingError, "'vrrp_config' of common_function_pool:.* is no list"):
            self.evaluate({"resolver": "vrids"})

    def test_arguments_that_can_not_be_used_are_named(self):
        for mapping, reason in [
            ({"resolver": "device_credentials", "attribute": "ip"}, "argument 'role' is missing"),
            ({"resolver": "device_credentials", "role": "third", "attribute": "ip"},
             "'role' is 'third', not one of primary, secondary"),
            ({"resolver": "device_credentials", "role": "primary"}, "argument 'attribute' is missing"),
            ({"resolver": "device_credentials", "role": "primary", "attribute": "id"}, "'attribute' is 'id'"),
            ({"resolver": "device_credentials", "role": "primary", "attribute": "ip", "x": 1}, "no argument 'x'"),
            ({"resolver": "pool_groups"}, "argument 'attribute' is missing"),
            ({"resolver": "pool_groups", "attribute": 5}, "is missing or no name"),
            ({"resolver": "pool_groups", "attribute": "a", "b": 1}, "no argument 'b': it takes attribute"),
            ({"resolver": "vrids", "a": 1}, "no argument 'a': it takes none"),
        ]:  # fmt: skip
            with self.subTest(mapping), self.assertRaises(evaluation.MappingError) as caught:
                self.evaluate(mapping)
            self.assertIn("parameter 'x'", caught.exception.message)
            self.assertIn(reason, caught.exception.message)
