import contextlib
import socket
import threading
import time
import unittest

from esi_worker.store import connection
from esi_worker.store import session


class ChunksTest(unittest.TestCase):
    BODY = b"4\r\nWiki\r\n6;name=value\r\npedia \r\nE\r\nin \r\n\r\nchunks.\r\n0\r\nTrailer: x\r\n\r\n"

    def test_wherever_it_is_cut_the_body_is_the_same(self) -> None:
        for cut in range(len(self.BODY) + 1):
            chunks = connection.Chunks()
            body = chunks.feed(self.BODY[:cut]) + chunks.feed(self.BODY[cut:])
            self.assertEqual((b"Wikipedia in \r\n\r\nchunks.", True), (body, chunks.ended), cut)

    def test_byte_by_byte(self) -> None:
        chunks = connection.Chunks()
        body = b"".join(chunks.feed(bytes([byte])) for byte in self.BODY)
        self.assertEqual((b"Wikipedia in \r\n\r\nchunks.", True), (body, chunks.ended))

    def test_it_has_not_ended_before_its_last_byte(self) -> None:
        chunks = connection.Chunks()
        chunks.feed(self.BODY[:-1])
        self.assertFalse(chunks.ended)

    def test_what_is_not_chunked_is_refused(self) -> None:
        for data in (b"hello\r\n", b"3\r\nfour\r\n", b"1" * 70_000):
            with self.subTest(data=data[:10]), self.assertRaises(connection.Garbled):
                connection.Chunks().feed(data)


class HeadTest(unittest.TestCase):
    def test_heads(self) -> None:
        for data, expected in (
            (b"HTTP/1.1 200 OK\r\nContent-Length: 12", connection.Head(200, "OK", 12, False, False)),
            (b"HTTP/1.1 429 Too Many\r\ncontent-length:0\r\nX: y", connection.Head(429, "Too Many", 0, False, False)),
            (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nA: b", connection.Head(200, "OK", None, True, False)),
            (b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nConnection: close", connection.Head(200, "OK", 1, False, True)),
            (b"HTTP/1.1 200 OK", connection.Head(200, "OK", None, False, True)),
            (b"HTTP/1.0 503", connection.Head(503, "", None, False, True)),
        ):
            self.assertEqual(expected, connection.parse_head(data))

    def test_what_is_no_head_is_refused(self) -> None:
        for data in (b"", b"SSH-2.0-OpenSSH", b"HTTP/1.1 abc", b"\x15\x03\x01"):
            with self.subTest(data=data), self.assertRaises(connection.Garbled):
                connection.parse_head(data)


class Server:
    """Answers each request with what it was given, on one connection after another."""

    def __init__(self, *answers: bytes, close: bool = False) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.accepted = 0
        self._answers = iter(answers)
        self._close = close
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                link, _ = self.listener.accept()
                self.accepted += 1
                with link:
                    while link.recv(65536):
                        link.sendall(next(self._answers, b""))
                        if self._close:
                            break

    def __enter__(self) -> "Server":
        return self

    def __exit__(self, *_: object) -> None:
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


class SessionTest(unittest.TestCase):
    def post(self, server: Server, times: int = 1, timeout: float = 5.0) -> list[tuple[int, str]]:
        sender = session.Session("127.0.0.1", server.port, None)
        with contextlib.closing(sender):
            replies = [sender.post(f"http://127.0.0.1:{server.port}/", b"{}", timeout=timeout) for _ in range(times)]
        return [(reply.status_code, reply.text) for reply in replies]

    def test_a_connection_is_kept(self) -> None:
        answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
        with Server(answer, answer) as server:
            self.assertEqual([(200, "ok")] * 2, self.post(server, 2))
            self.assertEqual(1, server.accepted)

    def test_a_connection_that_the_other_side_closes_is_not(self) -> None:
        answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"
        with Server(answer, answer, close=True) as server:
            self.assertEqual([(200, "ok")] * 2, self.post(server, 2))
            self.assertEqual(2, server.accepted)

    def test_chunks_and_a_body_up_to_the_end(self) -> None:
        with Server(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n") as server:
            self.assertEqual([(200, "ok")], self.post(server))
        with Server(b"HTTP/1.1 502 Bad\r\n\r\n<html>", close=True) as server:
            self.assertEqual([(502, "<html>")], self.post(server))

    def test_a_body_that_ends_too_early_or_goes_on_is_an_error_after_sending(self) -> None:
        for length in (9, 1):
            with Server(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\nok" % length, close=True) as server:
                sender = session.Session("127.0.0.1", server.port, None)
                with contextlib.closing(sender), self.assertRaises(session.requests.exceptions.ConnectionError):
                    sender.post(f"http://127.0.0.1:{server.port}/", b"{}", timeout=5.0)
                self.assertTrue(sender.sent)

    def test_bytes_that_drip_do_not_outlast_the_timeout(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
            ended = threading.Event()

            def drip() -> None:
                link, _ = listener.accept()
                with link, contextlib.suppress(OSError):
                    link.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n")
                    while not ended.wait(0.02):
                        link.sendall(b".")

            threading.Thread(target=drip, daemon=True).start()
            sender = session.Session("127.0.0.1", port, None)
            began = time.monotonic()
            with contextlib.closing(sender), self.assertRaises(session.requests.exceptions.Timeout):
                sender.post(f"http://127.0.0.1:{port}/", b"{}", timeout=0.3)
            ended.set()
            self.assertLess(time.monotonic() - began, 5.0)

    def test_a_refused_connection_was_not_sent(self) -> None:
        with Server() as server:
            port = server.port
        sender = session.Session("127.0.0.1", port, None)
        sender.sent = True
        with contextlib.closing(sender), self.assertRaises(session.requests.exceptions.ConnectionError):
            sender.post(f"http://127.0.0.1:{port}/", b"{}", timeout=5.0)
        self.assertFalse(sender.sent)

    def test_a_request(self) -> None:
        head = session.request_head("http://host:1/v3/kv/range")
        self.assertTrue(head.startswith(b"POST /v3/kv/range HTTP/1.1\r\nHost: host:1\r\n"))
        self.assertEqual(head + b"2\r\n\r\n{}", session.request(head, "", b"{}"))
        self.assertEqual(head + b"2\r\nAuthorization: t\r\n\r\n{}", session.request(head, "t", b"{}"))
