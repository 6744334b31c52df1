"""Finds the data recorded in a real deployment, which is not part of this project.

Tests against it are skipped where it is absent.
"""

from __future__ import annotations

import functools
import json
import os
import pathlib
import unittest
from typing import Any

_DEFAULT = pathlib.Path(__file__).resolve().parents[2] / "shared" / "recorded"


def directory() -> pathlib.Path:
    """The directory that holds the recorded data.

    :raises unittest.SkipTest: if there is none
    """
    path = pathlib.Path(os.environ.get("ESI_WORKER_RECORDED") or _DEFAULT)
    if not (path / "cases.json").is_file():
        raise unittest.SkipTest(f"no recorded data in {path}; ESI_WORKER_RECORDED names another place")
    return path


@functools.cache
def load(name: str) -> Any:
    """One of the recorded files.

    :param name: such as ``cases.json``
    :raises unittest.SkipTest: if there is none
    """
    return json.loads((directory() / name).read_text())
