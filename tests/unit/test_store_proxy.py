"""The proxy that the tests of the store rely on does what it says."""

import contextlib
import http.client
import http.server
import socket
import threading
import unittest

from esi_worker.testing import proxy
from esi_worker.testing import proxy_requests


class RequestsTest(unittest.TestCase):
    FIRST = b"POST /a HTTP/1.1\r\nContent-Length: 4\r\n\r\n\r\n\r\n"
    SECOND = b"GET /b HTTP/1.1\r\nHost: x\r\n\r\n"

    def test_wherever_they_are_cut_the_requests_are_the_same(self) -> None:
        both = self.FIRST + self.SECOND
        for cut in range(len(both) + 1):
            requests = proxy_requests.Requests()
            whole = requests.feed(both[:cut]) + requests.feed(both[cut:])
            self.assertEqual([self.FIRST, self.SECOND], whole, cut)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    done: list[str] = []

    def do_GET(self) -> None:
        self.done.append(self.path)
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_: object) -> None:
        """The test tells what went wrong."""


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """That connections are reset is what is tested."""


class ProxyTest(unittest.TestCase):
    def setUp(self) -> None:
        self.done: list[str] = []
        handler = type("Recorder", (Handler,), {"done": self.done})
        self.server = Server(("127.0.0.1", 0), handler)
        self.addCleanup(self.server.server_close)
        thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(self.server.shutdown)
        self.proxy = proxy.Proxy(("127.0.0.1", self.server.server_port))
        self.addCleanup(self.proxy.close)

    def client(self, timeout: float = 10.0) -> http.client.HTTPConnection:
        client = http.client.HTTPConnection(*self.proxy.address, timeout=timeout)
        self.addCleanup(client.close)
        return client

    def get(self, client: http.client.HTTPConnection, path: str) -> bytes:
        client.request("GET", path)
        return client.getresponse().read()

    def test_requests_are_counted_whatever_connection_they_come_by(self) -> None:
        first, second = self.client(), self.client()
        for client, path in ((first, "/1"), (second, "/2"), (first, "/3")):
            self.assertEqual(b"ok", self.get(client, path))
        self.assertEqual(["/1", "/2", "/3"], self.proxy.log)
        self.assertEqual((3, 2), (self.proxy.requests, self.proxy.connections))

    def test_a_cut_before_hands_nothing_on(self) -> None:
        acted = threading.Event()
        self.proxy.at(2, proxy.BEFORE, acted.set)
        client = self.client()
        self.get(client, "/1")
        with self.assertRaises((OSError, http.client.HTTPException)):
            self.get(client, "/2")
        self.assertTrue(acted.is_set())
        self.assertEqual(["/1"], self.done)
        self.assertEqual(b"ok", self.get(self.client(), "/3"))

    def test_a_cut_after_hands_it_on_and_keeps_the_answer(self) -> None:
        acted = threading.Event()
        self.proxy.at(1, proxy.AFTER, lambda: (self.assertEqual(["/1"], self.done), acted.set()))
        with self.assertRaises((OSError, http.client.HTTPException)):
            self.get(self.client(), "/1")
        self.assertTrue(acted.is_set())

    def test_silence_hands_it_on_and_holding_does_not(self) -> None:
        self.proxy.at(1, proxy.SILENCE)
        self.proxy.at(2, proxy.HOLD)
        for path in ("/1", "/2"):
            with self.assertRaises(TimeoutError):
                self.get(self.client(timeout=0.3), path)
        self.assertEqual(["/1"], self.done)

    def test_a_cut_resets_what_is_open(self) -> None:
        client = self.client()
        self.get(client, "/1")
        self.assertEqual(1, self.proxy.cut())
        with self.assertRaises((OSError, http.client.HTTPException)):
            self.get(client, "/2")

    def test_connections_are_refused_until_they_are_accepted_again(self) -> None:
        self.proxy.refuse()
        with self.assertRaises(ConnectionRefusedError):
            self.get(self.client(), "/1")
        self.proxy.accept()
        self.assertEqual(b"ok", self.get(self.client(), "/2"))

    def test_answers_come_in_pieces(self) -> None:
        self.proxy.piece = 1
        self.assertEqual(b"ok", self.get(self.client(), "/1"))

    def test_bytes_that_are_not_http_pass_too(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            between = proxy.Proxy(listener.getsockname()[:2], http=False)
            with contextlib.closing(between), socket.create_connection(between.address, 10.0) as client:
                server, _ = listener.accept()
                with server:
                    client.sendall(b"hello")
                    self.assertEqual(b"hello", server.recv(10))
                    server.sendall(b"there")
                    self.assertEqual(b"there", client.recv(10))
            self.assertEqual(0, between.requests)
