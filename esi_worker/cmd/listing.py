"""A list as every command shows it."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from collections.abc import Sequence
from typing import Any
from typing import ClassVar

from cliff import lister


class Lister(lister.Lister):
    """A lister that tells a person that there is nothing, instead of writing an empty table.

    :cvar nothing: what it says then
    """

    nothing: ClassVar[str] = "nothing to list"

    def produce_output(
        self, parsed_args: argparse.Namespace, column_names: Sequence[str], data: Iterable[Sequence[Any]]
    ) -> int:
        """Write the list."""
        rows = list(data)
        if rows or parsed_args.formatter != "table":
            return super().produce_output(parsed_args, column_names, rows)
        self.app.stderr.write(f"{self.nothing}\n")
        return 0
