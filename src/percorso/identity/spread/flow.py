"""Whose is each row, on a cluster: the steps one after the other (docs/concepts/spark-build.md)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from percorso.engines.exchange import Exchange, Flow
from percorso.identity.decisions import Folded
from percorso.identity.rules import placement_rules
from percorso.identity.spread.groups import ALIASES, NAMED, GroupSteps
from percorso.identity.spread.placed import ANSWERS, COPIES, PLACED, PlacedPieces
from percorso.identity.spread.scan import LakePart, scan_parts
from percorso.identity.spread.sets import SetSteps
from percorso.identity.spread.stars import find_components
from percorso.identity.spread.timelines import TimelineSteps
from percorso.identity.spread.times import CLOCKS, COUNTED, SETS, TIMED, drop_copies, place_times
from percorso.identity.tables import strong_types
from percorso.settings import Settings

__all__ = ["Spread", "spread_rows"]

#: What sorting and comparing may take in a task; parts are made so small that it does not matter.
_TASK_BYTES = 1 << 28


@dataclass(slots=True)
class Spread:
    """Rows that know their person, on their way to the tasks that read the lake once more.

    Attributes
    ----------
    rows : Flow
        Pieces for `percorso.identity.spread.placed.finished_rows`, by task of the lake.
    aliases : Flow
        Every identifier of a person and its person, all in the first part.
    clocks : Flow
        Source and time of rows whose time was put right, all in the first part.
    n_events : int
        Rows that count.
    """

    rows: Flow
    aliases: Flow
    clocks: Flow
    n_events: int
    _kept: list[Flow] = field(default_factory=list)

    def release(self) -> None:
        """Give up what was kept for several readers."""
        for flow in self._kept:
            flow.release()


def spread_rows(
    exchange: Exchange,
    tasks: Sequence[Sequence[LakePart]],
    sources: tuple[str, ...],
    settings: Settings,
    decisions: Folded,
    secret: bytes,
    progress: Callable[[str, int, int], None] = lambda phase, done, total: None,
) -> Spread:
    """Decide for every row of the lake as `percorso.identity.placement.place_rows` does.

    Parameters
    ----------
    exchange : Exchange
    tasks : sequence
        The lake, dealt out by `percorso.identity.spread.scan.lake_parts`.
    sources : tuple of str
        By the bytes of their names.
    settings : Settings
    decisions : Folded
    secret : bytes
        Key of all keyed hashes.
    progress : callable
        Told phase, rows done and rows in all; the phases of a build on one machine.
    """
    n_rows = sum(part.rows for task in tasks for part in task)
    n, kinds, rules = exchange.n_parts, strong_types(settings.identity.own_types), placement_rules(settings)
    progress("reading", 0, n_rows)
    scanned = exchange.start(len(tasks), scan_parts(tasks, settings, sources, n))
    timed = scanned.step(drop_copies(sources, n, _TASK_BYTES)).step(place_times(sources, n)).kept()
    n_events = sum(int(piece.rows.column("rows")[0].as_py()) for piece in timed.only(COUNTED).read())

    progress("reading", n_rows, n_rows)
    progress("identifying", 0, n_rows)
    of_sets = SetSteps(kinds, rules.resolution, secret, n)
    known = timed.only(SETS).step(of_sets.combine).kept()
    hubs = known.step(of_sets.partners).step(of_sets.count).step(of_sets.hubs)
    groups = GroupSteps(kinds, rules.resolution, decisions, n)
    marked = known.beside(hubs).step(groups.mark).kept()
    labels = find_components(marked.only("near").beside(exchange.start(1, groups.forced)), n)
    resolved = marked.only("held").beside(labels).step(groups.root).step(groups.resolve).kept()

    starts = np.array([task[0].start for task in tasks], dtype=np.int64)
    placed = PlacedPieces(starts, n)
    lines = TimelineSteps(sources, rules.timelines, secret, _TASK_BYTES, placed, n)
    named = timed.only(TIMED).beside(marked.only(NAMED), resolved.only(NAMED)).step(lines.name).kept()
    carriers = named.only("carriers")
    chosen = carriers.step(lines.logins).step(lines.choose)
    followed = carriers.beside(chosen).step(lines.follow).kept()
    progress("identifying", n_rows, n_rows)
    every = named.beside(followed)
    asked = every.only("carrying").step(placed.ask)
    rows = every.only(PLACED).beside(asked.only(ANSWERS, COPIES))
    return Spread(
        rows,
        resolved.only(ALIASES),
        timed.only(CLOCKS),
        n_events,
        [timed, known, marked, labels, resolved, named, followed],
    )
