"""The sandbox that templates run in: jinja2's own, with strings kept out of the text and every cost counted.

The tree of a template is rewritten before it is compiled: what has no hook in jinja2 (loops, slices, ``~``,
comparisons, keys) goes through a filter of ours, so that the meter sees it.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from types import CodeType
from typing import Any
from typing import Final

import jinja2
import jinja2.compiler
import jinja2.nodes
import jinja2.runtime
import jinja2.sandbox
import jinja2.visitor

from esi_worker import patterns
from esi_worker.clients.rendering import document
from esi_worker.clients.rendering import meter

_LOOP: Final = "loop over"
_WEIGH: Final = "weigh"
_JOIN: Final = "join with ~"
_PRINT: Final = "print as a block"
"""Names of our own filters: no template can write them, since they have spaces."""


_LAYOUT: Final = frozenset({"indent", "trim"})
"""Filters that leave the structure of a captured text as it is."""


class Captured(str):
    """What a macro or a ``{% set %}`` block gave: the true text, and how it is to be printed.

    As a value it is the text that was captured.  Printed as it is, it keeps its structure, and the strings in it stay
    tokens.
    """

    __slots__ = ("_printed",)
    _printed: str

    @classmethod
    def of(cls, text: str, printed: str) -> Captured:
        """:param text: the true text; :param printed: the same with tokens for strings."""
        captured = cls(text)
        captured._printed = printed
        return captured


class _Generator(jinja2.compiler.CodeGenerator):
    """Prints what a ``{% call %}`` block gives as ``{{ }}`` does; jinja2 itself writes it as it is."""

    def visit_Call(  # noqa: N802
        self, node: jinja2.nodes.Call, frame: jinja2.compiler.Frame, forward_caller: bool = False
    ) -> None:
        if forward_caller:  # only a call block does
            self.write("environment.finalize(context, ")
        super().visit_Call(node, frame, forward_caller=forward_caller)
        if forward_caller:
            self.write(")")


class Environment(jinja2.sandbox.ImmutableSandboxedEnvironment):
    """One rendering.

    :param counter: what it may cost
    """

    code_generator_class = _Generator
    intercepted_binops = frozenset({"+", "-", "*", "/", "//", "**", "%"})

    def __init__(self, counter: meter.Meter) -> None:
        super().__init__(
            undefined=jinja2.StrictUndefined,
            finalize=self._print,
            optimized=False,  # nothing is worked out while a template is compiled: the meter would not see it
            keep_trailing_newline=True,
            cache_size=0,
        )
        self.counter = counter
        self.strings = document.Strings()
        self.concat = self._capture  # type: ignore[method-assign]
        del self.globals["lipsum"]
        own = {"match": _match, "tojson": self._to_json, "join": self._join, "sum": self._sum}
        self.filters |= own
        for name, function in self.filters.items():
            self.filters[name] = self._counted(name, function)
        self.filters |= {_LOOP: self._loop, _WEIGH: self._weighed, _JOIN: self._joined, _PRINT: self._print}

    def compile_text(self, text: str) -> CodeType:
        """Compile a template.

        :raises jinja2.TemplateSyntaxError: with the line
        """
        tree = _Rewriter().visit(self.parse(text))
        return self.compile(tree)

    def handle_exception(self, source: str | None = None) -> Any:
        """Leave errors as they are: their traceback tells the line of the template."""
        raise  # called while an error is being handled

    def call_binop(self, context: jinja2.runtime.Context, operator: str, left: Any, right: Any) -> Any:
        """Arithmetic, counted."""
        self.counter.operation(operator, left, right)
        return super().call_binop(context, operator, left, right)

    def call(__self, __context: jinja2.runtime.Context, __obj: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: N805
        """A call, counted."""
        subject = getattr(getattr(__obj, "__wrapped__", __obj), "__self__", None)  # jinja2 wraps str.format
        if isinstance(subject, (str, bytes, int, float)):
            __self.counter.call(getattr(__obj, "__name__", ""), subject, [*args, *kwargs.values()])
        else:
            for value in (*args, *kwargs.values()):
                __self.counter.weigh(value)
        result = super().call(__context, __obj, *args, **kwargs)
        __self.counter.charge(len(result) if isinstance(result, (str, bytes, list)) else 0)
        return result

    @jinja2.pass_context
    def _print(self, context: jinja2.runtime.Context, value: Any) -> str:
        """What ``{{ value }}`` puts into the text."""
        self.counter.charge()
        if isinstance(value, Captured):
            return value._printed
        if isinstance(value, str):
            self.counter.printed(len(value))
            return self.strings.token(str(value))
        if isinstance(value, jinja2.Undefined):
            return str(value)  # raises, naming it
        return document.flow(value, self.strings, self.counter)

    def _capture(self, parts: Iterable[str]) -> Captured:
        printed = "".join(parts)
        text = self.strings.restore(printed)
        self.counter.single(len(text))
        self.counter.charge(len(text))
        return Captured.of(text, printed)

    def _counted(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def counted(*args: Any, **kwargs: Any) -> Any:
            values = list(args)[1:] if hasattr(function, "jinja_pass_arg") else list(args)
            self.counter.call(name, values[0] if values else None, [*values[1:], *kwargs.values()])
            result = function(*args, **kwargs)
            if name in _LAYOUT and values and isinstance(values[0], Captured):
                printed = [values[0]._printed if each is values[0] else each for each in args]
                result = Captured.of(result, function(*printed, **kwargs))
            self.counter.charge(len(result) if isinstance(result, (str, bytes, list)) else 0)
            return result

        return counted

    def _loop(self, items: Any) -> Iterator[Any]:
        return self.counter.loop(items)

    def _weighed(self, value: Any) -> Any:
        self.counter.weigh(value)
        return value

    def _joined(self, items: list[Any]) -> str:
        for item in items:
            if isinstance(item, jinja2.Undefined):
                str(item)  # raises, naming it
        self.counter.single(self.counter.weigh(items))
        return "".join(_spelled(item) for item in items)

    @jinja2.pass_eval_context
    def _join(
        self, context: jinja2.nodes.EvalContext, value: Any, d: str = "", attribute: str | int | None = None
    ) -> str:
        items = list(self.counter.loop(value))
        self.counter.joining(d, items)
        return jinja2.filters.sync_do_join(context, items, d, attribute)

    @jinja2.pass_environment
    def _sum(self, environment: jinja2.Environment, value: Any, attribute: Any = None, start: Any = 0) -> Any:
        if not isinstance(start, (int, float)):
            raise jinja2.TemplateRuntimeError("sum() adds numbers only")
        return jinja2.filters.sync_do_sum(self, self.counter.loop(value), attribute, start)

    def _to_json(self, value: Any, indent: int | None = None) -> Captured:
        """JSON that keeps its structure when it is printed; it needs no indentation there."""
        return Captured.of(json.dumps(value, indent=indent), document.flow(value, self.strings, self.counter))


def _match(value: Any, pattern: str) -> bool:
    """Whether a value begins with what a regular expression matches; null does not."""
    return value is not None and patterns.matches(str(pattern), str(value), whole=False)


def _spelled(value: Any) -> str:
    """A value within a longer text; numbers, booleans and null as they are printed alone."""
    return value if isinstance(value, str) else document.scalar(value) if _is_scalar(value) else str(value)


def _is_scalar(value: Any) -> bool:
    return value is None or isinstance(value, (bool, int, float))


class _Rewriter(jinja2.visitor.NodeTransformer):
    """Puts our filters around what the meter has to see."""

    def visit_For(self, node: jinja2.nodes.For) -> jinja2.nodes.Node:  # noqa: N802
        node.iter = _filtered(node.iter, _LOOP)
        return self.generic_visit(node)

    def visit_Concat(self, node: jinja2.nodes.Concat) -> jinja2.nodes.Node:  # noqa: N802
        parts = jinja2.nodes.List(node.nodes, lineno=node.lineno)
        return self.generic_visit(_filtered(parts, _JOIN))

    def visit_FilterBlock(self, node: jinja2.nodes.FilterBlock) -> jinja2.nodes.Node:  # noqa: N802
        node.filter = _filtered(node.filter, _PRINT)
        return self.generic_visit(node)

    def visit_Getitem(self, node: jinja2.nodes.Getitem) -> jinja2.nodes.Node:  # noqa: N802
        self.generic_visit(node)
        if node.ctx != "load" or isinstance(node.arg, jinja2.nodes.Const):
            return node
        if isinstance(node.arg, jinja2.nodes.Slice):
            return _filtered(node, _WEIGH)
        node.arg = _filtered(node.arg, _WEIGH)
        return node

    def visit_Compare(self, node: jinja2.nodes.Compare) -> jinja2.nodes.Node:  # noqa: N802
        node.expr = _filtered(node.expr, _WEIGH)
        for operand in node.ops:
            operand.expr = _filtered(operand.expr, _WEIGH)
        return self.generic_visit(node)

    def visit_Test(self, node: jinja2.nodes.Test) -> jinja2.nodes.Node:  # noqa: N802
        if node.name not in ("defined", "undefined"):
            node.node = _filtered(node.node, _WEIGH)
        node.args = [_filtered(each, _WEIGH) for each in node.args]
        return self.generic_visit(node)

    def visit_Pair(self, node: jinja2.nodes.Pair) -> jinja2.nodes.Node:  # noqa: N802
        node.key = _filtered(node.key, _WEIGH)
        return self.generic_visit(node)


def _filtered(node: Any, name: str) -> jinja2.nodes.Filter:
    return jinja2.nodes.Filter(node, name, [], [], None, None, lineno=node.lineno)
