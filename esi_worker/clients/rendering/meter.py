"""What a template may cost: every step and every text that it makes is counted before memory or time is spent.

Python can't stop a thread, and one expression such as ``"a" * 10 ** 9`` is a single step.  So sizes are worked out
first, and what would be too large is never done.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from typing import Any
from typing import Final

STEP: Final = 8
"""What one turn of a loop or one call counts, as characters."""

_FACTOR: Final = 16
"""How many times the size of the largest document a template may make of texts on its way there."""

_SLOW: Final = frozenset({"striptags", "urlize", "wordwrap", "xmlattr", "pprint"})
"""Filters whose cost grows with the square of the text."""
_SLOW_SIZE: Final = 10_000

_DIGITS: Final = re.compile(r"\d+")


class TooMuch(Exception):
    """A template wants more time or memory than it may have; the text says which."""


class Meter:
    """Counts what one rendering costs.

    :param time_limit: seconds from now
    :param size_limit: characters of the rendered text
    """

    def __init__(self, time_limit: float, size_limit: int) -> None:
        self.size_limit = size_limit
        self._time_limit = time_limit
        self._deadline = time.monotonic() + time_limit
        self._left = _FACTOR * size_limit
        self._room = size_limit

    def charge(self, size: int = 0) -> None:
        """Count a step that makes a value of a size.

        :raises TooMuch: if the template has used up its time or its memory
        """
        self._left -= size + STEP
        if self._left < 0:
            raise TooMuch(f"it does more than a document of {self.size_limit} characters can need")
        if time.monotonic() > self._deadline:
            raise TooMuch(f"it takes longer than {self._time_limit:g} s")

    def printed(self, size: int) -> None:
        """Count text of the document.

        :raises TooMuch: if the document grows too large
        """
        self._room -= size
        if self._room < 0:
            raise TooMuch(f"it renders to more than {self.size_limit} characters")
        self.charge(size)

    def single(self, size: int) -> None:
        """Refuse a single value that is too large.

        :raises TooMuch: if it is
        """
        if size > self.size_limit:
            raise TooMuch(f"it makes a value larger than {self.size_limit} characters")

    def weigh(self, value: Any) -> int:
        """Count a value that is about to be gone through, and tell its size.

        What is contained in several places counts in each, as it does when it is printed or compared.
        """
        if isinstance(value, (str, bytes)):
            size = len(value)
        elif isinstance(value, bool) or value is None:
            size = 1
        elif isinstance(value, int):
            size = value.bit_length() // 3 + 1
        elif isinstance(value, Mapping):
            size = sum(self.weigh(key) + self.weigh(member) for key, member in value.items())
        elif isinstance(value, (list, tuple, set, frozenset)):
            size = sum(self.weigh(member) for member in value)
        else:
            size = 1
        self.charge(size if isinstance(value, (str, bytes, int)) else 0)
        return size

    def loop(self, items: Iterable[Any]) -> Iterator[Any]:
        """The same items, each counted."""
        for item in items:
            self.charge()
            yield item

    def operation(self, operator: str, left: Any, right: Any) -> None:
        """Refuse an operation whose result would be too large."""
        if operator == "*":
            self._product(left, right)
        elif operator == "**" and isinstance(left, int) and isinstance(right, int):
            self.single(left.bit_length() * abs(right))
        elif operator == "%" and isinstance(left, (str, bytes)):
            members = right.values() if isinstance(right, Mapping) else right if isinstance(right, tuple) else (right,)
            self.formatting(str(left), str(left).count("%"), list(members))
        elif operator == "+":
            self.single(self.weigh(left) + self.weigh(right))
        self.charge()

    def _product(self, left: Any, right: Any) -> None:
        for text, times in ((left, right), (right, left)):
            if isinstance(text, (str, bytes, list, tuple)) and isinstance(times, int):
                self.single(len(text) * times)
                self.charge(max(len(text) * times, 0))
        if isinstance(left, int) and isinstance(right, int):
            self.single(left.bit_length() + right.bit_length())

    def formatting(self, text: str, fields: int, values: list[Any]) -> None:
        """Refuse what a format string would make too large: by its values, or by a width that it asks for."""
        widths = [int(digits[:9]) for digits in _DIGITS.findall(text)]
        widths += [abs(value) for value in values if isinstance(value, int) and ("*" in text or "{" in text)]
        longest = max([self.weigh(value) for value in values] + widths, default=0)
        self.single(len(text) + fields * longest)
        self.charge(len(text) + fields * longest)

    def call(self, name: str, subject: Any, arguments: list[Any]) -> None:
        """Refuse a call of a filter, or of a text's own method, whose result would be too large.

        :param name: the filter's or method's name
        :param subject: the value that it is applied to
        :param arguments: the others
        """
        for value in (subject, *arguments):
            self.weigh(value)
        for argument in arguments:
            if isinstance(argument, int):
                self.single(abs(argument))
        if not isinstance(subject, (str, bytes)):
            return
        if name in _SLOW and len(subject) > _SLOW_SIZE:
            raise TooMuch(f"the filter {name!r} is given more than {_SLOW_SIZE} characters")
        if name == "replace" and len(arguments) >= 2:
            old, new = str(arguments[0]), str(arguments[1])
            self.single(len(subject) + str(subject).count(old) * len(new))
        elif name in ("expandtabs", "indent"):
            widths = [each for each in arguments if isinstance(each, (int, str)) and not isinstance(each, bool)]
            width = max([each if isinstance(each, int) else len(each) for each in widths], default=8)
            self.single(len(subject) + (str(subject).count("\n") + str(subject).count("\t") + 1) * width)
        elif name in ("format", "format_map"):
            self._format(str(subject), arguments)
        elif name == "join" and arguments:
            self.joining(subject, arguments[0])

    def _format(self, text: str, arguments: list[Any]) -> None:
        values = [member for each in arguments for member in (each.values() if isinstance(each, Mapping) else [each])]
        self.formatting(text, text.count("%") + text.count("{"), values)

    def joining(self, separator: Any, items: Any) -> None:
        """Refuse a list that would be too large when its elements are joined."""
        if hasattr(items, "__len__"):
            self.single(self.weigh(items) + len(items) * self.weigh(separator))
