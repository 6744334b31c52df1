"""Errors of heatclient and keystoneauth, as the API has them."""

from __future__ import annotations

import json
import unittest

import requests
from heatclient import exc
from keystoneauth1 import exceptions as keystone_exceptions

from esi_worker import api
from esi_worker.clients import heat_errors


def http_error(status: int, body: object) -> exc.HTTPException:
    response = requests.Response()
    response.status_code = status
    response._content = body if isinstance(body, bytes) else json.dumps(body).encode()
    error = exc.from_response(response)
    assert isinstance(error, exc.HTTPException)
    return error


def fault(message: object) -> dict[str, object]:
    return {"code": 1, "error": {"type": "X", "message": message}}


class TranslationTest(unittest.TestCase):
    def translate(self, error: Exception, secrets: tuple[str, ...] = ()) -> api.JobError:
        with self.assertRaises(api.JobError) as caught, heat_errors.translated("do it", secrets):
            raise error
        self.assertTrue(caught.exception.message.startswith("cannot do it"))
        self.assertTrue(caught.exception.__suppress_context__, "a traceback would show the original text")
        return caught.exception

    def test_statuses(self) -> None:
        kinds = {400: api.PermanentError, 403: api.PermanentError, 405: api.PermanentError, 422: api.PermanentError}
        kinds |= dict.fromkeys((401, 404, 408, 409, 413, 423, 425, 429), api.TemporaryError)
        kinds |= dict.fromkeys((300, 500, 501, 502, 503, 504, 599), api.Unreachable)
        for status, kind in kinds.items():
            with self.subTest(status=status):
                self.assertIs(kind, type(self.translate(http_error(status, fault("because")))))

    def test_connections(self) -> None:
        for error in (
            keystone_exceptions.ConnectFailure("refused"),
            keystone_exceptions.ConnectTimeout("slow"),
            keystone_exceptions.SSLError("no trust"),
            keystone_exceptions.UnknownConnectionError("?", ValueError()),
            keystone_exceptions.EndpointNotFound("nothing in the catalog"),
            keystone_exceptions.InternalServerError(),
            exc.CommunicationError("refused"),
            exc.InvalidEndpoint("no location"),
            ConnectionResetError(),
            RecursionError(),
            json.JSONDecodeError("no JSON", "<html>", 0),
            AttributeError("'bytes' object has no attribute 'get'"),
        ):
            with self.subTest(error=error):
                self.assertIsInstance(self.translate(error), api.Unreachable)

    def test_errors_of_the_api_pass(self) -> None:
        with self.assertRaises(api.Unresolved), heat_errors.translated("do it"):
            raise api.Unresolved("not yet")

    def test_secrets(self) -> None:
        for error in (
            http_error(400, fault("the password s3cret-1 is bad")),
            http_error(503, fault("the password s3cret-1 is bad")),
            http_error(409, fault("the password s3cret-1 is bad")),
            keystone_exceptions.ConnectFailure("http://u:s3cret-1@h"),
            ValueError("s3cret-1"),
        ):
            translated = self.translate(error, ("s3cret-1",))
            self.assertNotIn("s3cret", f"{translated.message} {translated.detail} {translated}")

    def test_a_long_reason_is_cut(self) -> None:
        self.assertLess(len(self.translate(http_error(400, fault("x" * 10**6))).message), 1100)

    def test_reasons_of_any_shape(self) -> None:
        shapes = {
            "because": (fault("because"), {"error": "because"}, {"explanation": "because"}),
            "": (b"<html>", b"", b"[" * 10**5, [], 7, None, fault(None), fault({"a": 1}), {"error": []}, {}),
        }
        for expected, bodies in shapes.items():
            for body in bodies:
                for status in (400, 401):
                    with self.subTest(body=body, status=status):
                        error = http_error(status, body)
                        self.assertEqual(expected, heat_errors.reason(error))
                        self.translate(error)

    def test_which_404_is_heats(self) -> None:
        for body, expected in ((fault("no"), True), ({}, True), (b"<html>", False), (b"", False), ([], False)):
            error = http_error(404, body)
            assert isinstance(error, exc.HTTPNotFound)
            self.assertIs(expected, heat_errors.is_absent(error))
