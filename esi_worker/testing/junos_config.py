"""A Junos configuration: a tree of words, read from the text that routers read and written back as they show it.

``interfaces { ae0 { unit 1025 { vlan-id 1025; } } }`` and ``set interfaces ae0 unit 1025 vlan-id 1025`` and
``interfaces ae0 unit 1025 vlan-id 1025;`` are the same: each word is a node below the one before it.
"""

from __future__ import annotations

import copy
import dataclasses
import fnmatch
import re
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence
from typing import Final

Tree = dict[str, "Tree"]
"""A word -> what stands below it."""

_TOKEN: Final = re.compile(r'\s+|/\*.*?\*/|#[^\n]*|("(?:[^"\\]|\\.)*"|[{};\[\]]|[^\s{};\[\]"]+)', re.DOTALL)
_SINGLE: Final = frozenset({"description", "instance-type", "mtu", "next-hop", "peer-unit", "priority", "vlan-id"})
"""Statements that have one value: a second one takes the first one's place."""
_NAMED: Final = frozenset(
    {"address", "family", "group", "neighbor", "pool", "route", "rule", "service-set", "term", "unit", "vrrp-group"}
)
"""Words whose next word is a name: shown as ``unit 1 {`` rather than ``unit { 1 {``."""


class SyntaxProblem(ValueError):
    """The text is no configuration."""


class Configuration:
    """The statements of a configuration."""

    def __init__(self, text: str = "") -> None:
        self.tree: Tree = {}
        self.load(text)

    def copy(self) -> Configuration:
        """:returns: one that can be changed without this one changing."""
        other = Configuration()
        other.tree = copy.deepcopy(self.tree)
        return other

    def load(self, text: str) -> list[str]:
        """Merge a text with braces; ``delete:`` before a statement removes it, ``replace:`` replaces it.

        :returns: warnings, such as for the removal of what isn't there
        :raises SyntaxProblem: and nothing is changed then
        """
        tree = copy.deepcopy(self.tree)
        warnings = list(_merge(tree, _read(iter(_tokens(text)))))
        self.tree = tree
        return warnings

    def load_set(self, text: str) -> list[str]:
        """Run ``set`` and ``delete`` commands, one a line.

        :returns: warnings
        :raises SyntaxProblem: and nothing is changed then
        """
        tree = copy.deepcopy(self.tree)
        statements = []
        for line in filter(None, map(str.strip, text.splitlines())):
            verb, *words = _tokens(line)
            if verb not in ("set", "delete") or not words:
                raise SyntaxProblem(f"syntax error: {verb}")
            statements.append(_Statement(tuple(words), tag="delete:" if verb == "delete" else ""))
        warnings = list(_merge(tree, statements))
        self.tree = tree
        return warnings

    def find(self, *words: str) -> Tree | None:
        """:returns: what stands below these words; None where they aren't there."""
        node: Tree | None = self.tree
        for word in words:
            if node is None:
                return None
            node = node.get(word)
        return node

    def text(self) -> str:
        """As ``show configuration`` shows it."""
        return "".join(_lines(self.tree, 0))

    def set_commands(self) -> list[str]:
        """As ``show configuration | display set`` shows it."""
        return [f"set {' '.join(path)}" for path in paths(self.tree)]


def paths(tree: Tree, *above: str) -> Iterator[tuple[str, ...]]:
    """Every statement as its words from the top."""
    for word, below in tree.items():
        if below:
            yield from paths(below, *above, word)
        else:
            yield (*above, word)


def matching(tree: Tree, words: Sequence[str]) -> Iterator[Tree]:
    """What stands below these words where the tree may have wildcards (``<*>``), as configuration groups have."""
    if not words:
        yield tree
        return
    for word, below in tree.items():
        if word == words[0] or (word.startswith("<") and fnmatch.fnmatchcase(words[0], word.strip("<>"))):
            yield from matching(below, words[1:])


def below(tree: Tree, name: str) -> Iterator[str]:
    """The words that follow this one, at any depth."""
    for word, rest in tree.items():
        if word == name:
            yield from rest
        yield from below(rest, name)


def _tokens(text: str) -> list[str]:
    tokens, at = [], 0
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:
            raise SyntaxProblem(f"syntax error at {text[at : at + 20]!r}")
        if found[1]:
            tokens.append(found[1])
        at = found.end()
    return tokens


@dataclasses.dataclass(frozen=True, slots=True)
class _Statement:
    """Words before a brace or a semicolon, and what is within the braces."""

    words: tuple[str, ...]
    body: tuple[_Statement, ...] = ()
    tag: str = ""


def _read(tokens: Iterator[str], *, nested: bool = False) -> tuple[_Statement, ...]:
    """Statements up to the closing brace, or to the end."""
    statements: list[_Statement] = []
    words: list[str] = []
    for token in tokens:
        if token == "}" and nested and not words:
            return tuple(statements)
        if token in "{;" and words:
            statements += _expanded(words, _read(tokens, nested=True) if token == "{" else ())
            words = []
        elif token in "{};":
            raise SyntaxProblem(f"syntax error: unexpected {token}")
        else:
            words.append(token)
    if words or nested:
        raise SyntaxProblem("syntax error: unexpected end of the text")
    return tuple(statements)


def _expanded(words: list[str], body: tuple[_Statement, ...]) -> Iterator[_Statement]:
    """One statement; for a list in brackets one for each of its elements."""
    tag = words[0] if words[0] in ("delete:", "replace:") else ""
    words = words[1:] if tag else words
    if "[" in words:
        start = words.index("[")
        names = words[start + 1 : -1]
        if words[-1] != "]" or body or not start:
            raise SyntaxProblem("syntax error: a list in brackets must end its statement")
    else:
        start, names = len(words) - 1, words[-1:]
    if not names or set(names) & {"[", "]"}:
        raise SyntaxProblem("syntax error: a statement has no words")
    for name in names:
        yield _Statement((*words[:start], name), body, tag)


def _merge(tree: Tree, statements: Iterable[_Statement]) -> Iterator[str]:
    """:returns: warnings."""
    for statement in statements:
        if statement.tag == "delete:":
            if not _remove(tree, statement.words):
                yield "statement not found"
            continue
        if statement.tag == "replace:":
            _remove(tree, statement.words)
        node = _add(tree, statement.words)
        yield from _merge(node, statement.body)
        if statement.body and not node:
            _remove(tree, statement.words)


def _add(tree: Tree, words: Sequence[str]) -> Tree:
    """:returns: what stands below these words, added where missing."""
    above = ""
    for word in words:
        if above in _SINGLE and word not in tree:
            tree.clear()
        tree = tree.setdefault(word, {})
        above = word
    return tree


def _remove(tree: Tree, words: Sequence[str]) -> bool:
    """Remove a statement, and what is empty without it."""
    first, *rest = words
    if first not in tree:
        return False
    if rest and not _remove(tree[first], rest):
        return False
    if not rest or not tree[first]:
        del tree[first]
    return True


def _lines(tree: Tree, depth: int) -> Iterator[str]:
    indent = "    " * depth
    for words, rest in _shown(tree):
        if rest:
            yield f"{indent}{' '.join(words)} {{\n"
            yield from _lines(rest, depth + 1)
            yield f"{indent}}}\n"
        else:
            yield f"{indent}{' '.join(words)};\n"


def _shown(tree: Tree) -> Iterator[tuple[list[str], Tree]]:
    """The words before a brace or a semicolon, and what is within the braces."""
    for word, rest in tree.items():
        if rest and (word in _NAMED or all(not each for each in rest.values())):
            for name, inner in rest.items():
                yield [word, name], inner
        else:
            yield [word], rest
