"""A catalog from Gohan's schemas: from documents, and from an API over a real socket."""

import http.server
import json
import threading
import unittest

import yaml

from esi_worker import api
from esi_worker.clients import gohan as gohan_api
from esi_worker.pipeline import catalog as catalogs
from esi_worker.pipeline import catalog_document
from esi_worker.pipeline import gohan

VERSIONED = {"state_versioning": True}


def schema(**members):
    return {"id": "gate", "plural": "gates", "prefix": "/v2.0", "metadata": VERSIONED, **members}


def imported(*schemas):
    return gohan.read({"schemas": list(schemas)})


class SchemaTest(unittest.TestCase):
    def the_type(self, **members):
        [found] = imported(schema(**members)).catalog["types"]
        return found

    def test_a_schema_is_a_type(self):
        properties = {
            "id": {"type": "string"},
            "road_id": {"type": "string", "relation": "road"},
            "paint": {"type": "object", "properties": {"shop_id": {"type": "string", "relation": "shop"}}},
            "fence_id": {"relation": ""},
        }
        metadata = {**VERSIONED, "template_path": {"heat_worker": "Cgate", "monitoring_worker": None}}
        found = self.the_type(parent="yard", schema={"properties": properties}, metadata=metadata)
        wanted = {
            "id": "gate",
            "plural": "gates",
            "prefix": "v2.0",
            "relations": {"yard_id": "yard", "road_id": "road"},  # top level only
            "templates": {"heat_worker": "Cgate"},
            "two_step_deletion": True,
        }
        self.assertEqual(wanted, found)

    def test_what_is_imported_is_a_catalog(self):
        document = yaml.safe_dump(imported(schema(prefix="/lab/v1.0/")).catalog)
        catalog = catalogs.Catalog.from_document(document)
        self.assertEqual("lab/v1.0/gates/g", str(catalog.path(api.Ref("gate", "g"))))
        self.assertEqual(([], []), catalog_document.read(imported().catalog))

    def test_a_bare_list_will_do(self):
        self.assertEqual(imported(schema()), gohan.read([schema()]))

    def test_only_what_has_versions(self):
        never = schema(id="never", metadata={})
        found = imported(never, schema(id="no", metadata={"state_versioning": False}), schema(id="bare", metadata=None))
        self.assertEqual(([], ("never", "no", "bare")), (found.catalog["types"], found.left_out))

    def test_one_step_deletion(self):
        self.assertFalse(self.the_type(metadata={**VERSIONED, "two_step_deletion": False})["two_step_deletion"])

    def test_forms_of_a_template_choice(self):
        choice = {"if_mapping": {"equal": ["a", "b"]}, "then_mapping": "Ca", "else_mapping": {"constant": None}}
        for given, wanted in (
            ("gate", {"heat_worker": "Cgate"}),
            ("Cgate", {"heat_worker": "Cgate"}),
            ("ACgate_&Pkind", {"heat_worker": "ACgate_&Pkind"}),
            ({"heat_worker": "gate", "x": choice}, {"heat_worker": "Cgate", "x": choice}),
            ("", {}),
            (None, {}),
            ({}, {}),
        ):
            with self.subTest(given):
                self.assertEqual(wanted, self.the_type(metadata={**VERSIONED, "template_path": given})["templates"])

    def test_what_cannot_be_used_names_the_schema(self):
        for members, said in (
            ({"prefix": ""}, "prefix is empty"),
            ({"prefix": "/"}, "its prefix is empty"),
            ({"plural": None}, "plural is null, not a name"),
            ({"parent": 3}, "parent is a number"),
            ({"schema": []}, "schema is a list, not an object"),
            ({"schema": {"properties": {"x": {"relation": 1}}}}, "schema.properties.x.relation is a number"),
            ({"metadata": {"state_versioning": "yes"}}, "metadata.state_versioning is a string, not a boolean"),
            ({"metadata": {**VERSIONED, "two_step_deletion": 0}}, "metadata.two_step_deletion is a number"),
            ({"metadata": {**VERSIONED, "template_path": 7}}, "metadata.template_path is a number"),
            ({"metadata": {**VERSIONED, "template_path": ["a"]}}, "metadata.template_path is a list"),
            ({"metadata": {**VERSIONED, "template_path": "file:///a/b.yaml"}}, "for heat_worker neither a mapping"),
            ({"metadata": {**VERSIONED, "template_path": {"x": {"y": 1}}}}, "for x neither a mapping"),
        ):
            with self.subTest(said), self.assertRaises(api.CatalogError) as caught:
                self.the_type(**members)
            self.assertIn("Gohan's schema 'gate'", str(caught.exception))
            self.assertIn(said, str(caught.exception))

    def test_what_is_no_list_of_schemas(self):
        for document in (None, "x", {"schemas": {}}, {}, 3):
            with self.subTest(document), self.assertRaisesRegex(api.CatalogError, "Gohan's schemas are a list"):
                gohan.read(document)
        for element in (None, {}, {"id": 3}, {"id": ""}):
            with self.subTest(element), self.assertRaisesRegex(api.CatalogError, "element 2 of Gohan's schemas"):
                gohan.read([schema(), element])
        with self.assertRaisesRegex(api.CatalogError, "'gate': there are two of this id"):
            imported(schema(), schema())


class Gohan(http.server.ThreadingHTTPServer):
    """Answers with what the test says, and keeps what it was asked."""

    daemon_threads = True

    def __init__(self):
        self.asked = []
        self.status, self.headers, self.body = 200, {}, b"{}"
        self.silent = threading.Event()
        super().__init__(("127.0.0.1", 0), _Answer)
        self.url = f"http://127.0.0.1:{self.server_port}"


class _Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        server = self.server
        server.asked.append((self.path, self.headers.get("X-Auth-Token")))
        if server.status is None:
            server.silent.wait(30)
            return
        self.send_response(server.status)
        for name, value in {"Content-Length": str(len(server.body)), **server.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(server.body)

    def log_message(self, *_):
        pass


def serve(case):
    """A Gohan that serves as long as the test lasts."""
    found = Gohan()
    threading.Thread(target=found.serve_forever, args=(0.01,), daemon=True).start()
    case.addCleanup(found.server_close)
    case.addCleanup(found.shutdown)
    case.addCleanup(found.silent.set)
    return found


class ApiTest(unittest.TestCase):
    def setUp(self):
        self.gohan = serve(self)

    def test_the_schemas(self):
        self.gohan.body = json.dumps({"schemas": [schema(description="Tür")]}, ensure_ascii=False).encode()
        for url in (self.gohan.url, f"{self.gohan.url}/", f"{self.gohan.url}/gohan/v0.1/schemas"):
            self.assertIn("Tür", gohan_api.schemas(url, "secret"))
        self.assertEqual([("/gohan/v0.1/schemas", "secret")] * 3, self.gohan.asked)
        gohan_api.schemas(self.gohan.url)
        self.assertEqual(("/gohan/v0.1/schemas", None), self.gohan.asked[-1])

    def test_it_does_not_want_to(self):
        for status, said in (
            (401, "set OS_TOKEN"),
            (403, "may not read schemas"),
            (404, "no Gohan's API"),
            (418, "answers 418"),
        ):
            self.gohan.status = status
            with self.subTest(status), self.assertRaisesRegex(api.ConfigError, said):
                gohan_api.schemas(self.gohan.url)
        self.gohan.status = 503
        with self.assertRaisesRegex(api.Unreachable, "answers 503"):
            gohan_api.schemas(self.gohan.url)

    def test_a_redirection_does_not_get_the_token(self):
        other = serve(self)
        self.gohan.status, self.gohan.headers = 302, {"Location": other.url}
        with self.assertRaisesRegex(api.ConfigError, "redirections are not followed"):
            gohan_api.schemas(self.gohan.url, "secret")
        self.assertEqual([], other.asked)

    def test_it_does_not_answer(self):
        self.gohan.status = None
        with self.assertRaisesRegex(api.Unreachable, "did not answer in time"):
            gohan_api.schemas(self.gohan.url, timeout=0.2)

    def test_it_breaks_off(self):
        self.gohan.headers = {"Content-Length": "100"}
        with self.assertRaisesRegex(api.Unreachable, "broke off|did not answer in time"):
            gohan_api.schemas(self.gohan.url, timeout=0.5)

    def test_nobody_is_there(self):
        gone = Gohan()
        gone.server_close()
        with self.assertRaisesRegex(api.Unreachable, "can't be reached: .*refused"):
            gohan_api.schemas(gone.url)

    def test_what_is_no_text(self):
        self.gohan.body = b"\xff\xfe"
        with self.assertRaisesRegex(api.ConfigError, "does not answer with text"):
            gohan_api.schemas(self.gohan.url)

    def test_urls_that_cannot_be_used(self):
        for url in ("file:///etc/passwd", "ftp://host/x", "gohan:9091", "http://", "http://a b/", "http://u:hunter2@h"):
            with self.subTest(url), self.assertRaises(api.ConfigError) as caught:
                gohan_api.schemas(url)
            self.assertNotIn("hunter2", str(caught.exception))
