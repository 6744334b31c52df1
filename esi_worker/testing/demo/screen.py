"""Shows the demo: a live table in a terminal, a line per change anywhere else."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Protocol
from typing import TextIO

from rich import box
from rich import console
from rich import live
from rich import table
from rich import text

from esi_worker import api
from esi_worker.cmd import points
from esi_worker.testing.demo import progress

_TICKS = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
_FRAME_LINES = 6
_NAMES = ("config", "jobs", "stack", "outputs", "monitored", "state", "monitoring")


class Screen(Protocol):
    """Where the demo is shown."""

    def show(self, steps: list[progress.Step], seconds: float) -> None:
        """Show how far it is; called several times a second."""


class Plain:
    """A line for each change, without control codes."""

    def __init__(self, output: TextIO) -> None:
        self._output = output
        self._seen: dict[api.Ref, frozenset[int]] = {}

    def show(self, steps: list[progress.Step], seconds: float) -> None:
        """Write what is new."""
        for step in steps:
            for number in sorted(step.reached - self._seen.get(step.ref, frozenset())):
                said = f" {step.now}" if number == 6 else ""
                line = (
                    f"{seconds:7.1f} s  ({number}) {_NAMES[number - 1]:10}  {step.ref.resource_type} {step.name}{said}"
                )
                self._output.write(f"{line}\n")
            self._seen[step.ref] = step.reached
        self._output.flush()


class Live:
    """A table that is drawn again and again."""

    def __init__(self, shown: live.Live) -> None:
        self._live = shown
        self._turn = 0

    def show(self, steps: list[progress.Step], seconds: float) -> None:
        """Draw it."""
        self._turn += 1
        complete = sum(step.complete for step in steps)
        title = f"{complete} of {len(steps)} resources, {seconds:.1f} s"
        room = self._live.console.size.height - _FRAME_LINES
        # The last picture stays, so it may be longer than the screen.
        shown = steps if complete == len(steps) else _most_telling(steps, room)
        self._live.update(_table(shown, title, _TICKS[self._turn % len(_TICKS)]), refresh=True)


@contextlib.contextmanager
def opened(output: TextIO) -> Iterator[Screen]:
    """A live table where the output is a terminal, else plain lines."""
    terminal = console.Console(file=output)
    if not terminal.is_terminal:
        yield Plain(output)
        return
    with live.Live(console=terminal, auto_refresh=False) as shown:
        yield Live(shown)


def _most_telling(steps: list[progress.Step], room: int) -> list[progress.Step]:
    """As many as there is room for: those that are not complete come first."""
    chosen = sorted(range(len(steps)), key=lambda number: (steps[number].complete, number))[: max(room, 1)]
    return [steps[number] for number in sorted(chosen)]


def _table(steps: list[progress.Step], title: str, tick: str) -> table.Table:
    drawn = table.Table(box=box.SIMPLE_HEAD, title=title, padding=(0, 1, 0, 0))
    drawn.add_column("resource", no_wrap=True, min_width=23)
    drawn.add_column("name")  # the one that gives way in a narrow terminal
    for number in points.NUMBERS:
        drawn.add_column(f"{number}", no_wrap=True)
    drawn.add_column("", no_wrap=True, min_width=18)
    for step in steps:
        style = "red" if step.status.failed else "green" if step.complete else ""
        cells = [_cell(step, number, tick) for number in points.NUMBERS]
        name = text.Text(step.name, no_wrap=True, overflow="ellipsis")
        drawn.add_row(step.ref.resource_type, name, *cells, text.Text(step.now, style))
    return drawn


def _cell(step: progress.Step, number: int, tick: str) -> text.Text:
    if number in step.reached:
        return text.Text("✓", "green")
    if step.status.failed:
        return text.Text("✗" if number == 6 else "", "red")
    if step.complete or number < max(step.reached, default=0):
        return text.Text("·", "dim")
    coming = min((each for each in points.NUMBERS if each > max(step.reached, default=0)), default=0)
    return text.Text(tick if number == coming else "", "yellow")
