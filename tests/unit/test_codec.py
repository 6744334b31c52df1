import unittest

from esi_worker import api
from esi_worker.store import codec


class CodecTest(unittest.TestCase):
    def test_keys_are_sorted_and_text_is_utf_8(self) -> None:
        expected = '{"a": "größe", "b": [1, null, true]}'.encode()
        self.assertEqual(expected, codec.encode({"b": [1, None, True], "a": "größe"}))

    def test_any_order_and_white_space_is_read(self) -> None:
        self.assertEqual({"a": 1, "b": 2}, codec.decode(b' {\n"b" :2,\t"a":1 }\r\n'))
        self.assertEqual({"a": 1}, codec.decode('{"a": 1}'))

    def test_what_was_written_is_read(self) -> None:
        for value in (None, True, 0, -1.5, "", '\u2028🙂 \\ "', [], {}, {"": [{}]}, 10**30):
            self.assertEqual(value, codec.decode(codec.encode(value)))

    def test_half_of_a_surrogate_pair_harms_nothing(self) -> None:
        value = codec.decode(b'{"a\\udcff": "\\ud800"}')
        self.assertEqual(b'{"a\\udcff": "\\ud800"}', codec.encode(value))
        nested = {"text": codec.text(value)}
        self.assertEqual(nested, codec.decode(codec.encode(nested)))

    def test_what_is_not_json_is_a_document_error(self) -> None:
        for data in (
            b"",
            b"{",
            b"{'a': 1}",
            b"\xff\xfe\xff",
            b"[1,]",
            b"nul",
            b'{"a": 1} x',
            b"[1e999]",
            b"NaN",
            b"-Infinity",
        ):
            with self.subTest(data=data), self.assertRaises(api.DocumentError):
                codec.decode(data)

    def test_what_is_nested_too_deeply_is_a_document_error(self) -> None:
        for data in (b"[" * 100_000 + b"]" * 100_000, b'{"a":' * 100_000 + b"1" + b"}" * 100_000):
            with self.assertRaisesRegex(api.DocumentError, "nested"):
                codec.decode(data)
        deep: list[object] = []
        for _ in range(100_000):
            deep = [deep]
        with self.assertRaises(api.DocumentError):
            codec.encode(deep)

    def test_the_limit_of_nesting_is_the_same_for_reading_and_writing(self) -> None:
        fits = "[" * codec.MAX_DEPTH + "]" * codec.MAX_DEPTH
        self.assertEqual(fits, codec.text(codec.decode(fits)))
        with self.assertRaisesRegex(api.DocumentError, "nested"):
            codec.decode(f"[{fits}]")
        with self.assertRaisesRegex(api.DocumentError, "levels"):
            codec.encode([codec.decode(fits)])

    def test_brackets_in_texts_are_no_levels(self) -> None:
        value = {"text": "[" * 1000, "wide": [[]] * 1000}
        self.assertEqual(value, codec.decode(codec.encode(value)))

    def test_what_can_not_be_json_is_a_document_error(self) -> None:
        for value in (float("nan"), float("inf"), {1, 2}, b"bytes", object()):
            with self.subTest(value=value), self.assertRaises(api.DocumentError):
                codec.encode(value)
