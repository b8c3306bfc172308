"""The figures of :mod:`benchmarks.identity` as Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from benchmarks.tables import table

__all__ = ["TARGETS", "identity", "identity_summary"]

#: What the figures are meant to reach at 20 million events on two cores.
TARGETS = {"build": 300_000, "build peak": 4e9, "increment": 0.10}

_STEPS = ("workspace", "step", "events", "seconds", "rate, share or parts", "peak memory", "target")
_GRAPH = ("workspace", "strong identifiers", "weak", "pairs on one event", "components", "groups", "persons", "shared")


def identity(sizes: list[dict[str, Any]]) -> str:
    """Steps with their targets, and how large the graph was that they had to do with."""
    steps = table(_STEPS, [row for size in sizes for row in _steps(size)])
    graphs = table(_GRAPH, [_graph(size) for size in sizes])
    note = (
        "Increments are compared with a whole build of the same lake in the same run; both left the same "
        "`data_version` and the same alias table. Placing and joining are timed within one process, the rest as "
        "whole processes, the start of Python included."
    )
    return "\n\n".join([steps, note, graphs])


def identity_summary(size: dict[str, Any]) -> str:
    """One sentence for the README."""
    found, new = size["increment"], size["import_new"]
    return (
        f"After {new['events']:,} new events in six files, `percorso build` takes {found['seconds']:.1f} s: "
        f"{found['share']:.1%} of building everything, with the same bytes as its result. Erasing a person takes "
        f"{size['erasure']['seconds']:.0f} s."
    )


def _steps(size: dict[str, Any]) -> Iterable[Sequence[str]]:
    n = f"{size['events']:,}"
    for name, *cells in (*_builds(size), *_resolution(size), *_increments(size), *_erasure(size)):
        yield (n, name, *cells)


def _builds(size: dict[str, Any]) -> Iterable[Sequence[str]]:
    for name, key in (("import of six sources", "import"), ("import of their newest events", "import_new")):
        figure = size[key]
        yield name, *_measured(figure, figure["events"], f"{figure['rate']:,.0f} events/s"), "-"
    wanted = f"≥ {TARGETS['build']:,.0f}/s, ≤ {TARGETS['build peak'] / 1e9:.0f} GB"
    build = size["build"]
    yield "`build --full`", *_measured(build, build["events"], f"{build['rate']:,.0f} events/s"), wanted


def _resolution(size: dict[str, Any]) -> Iterable[Sequence[str]]:
    """Parts of a whole build, done again by themselves."""
    found = size["resolution"]
    share = f"{found['placing_s'] / size['build']['seconds']:.0%} of `build --full`"
    yield "of it: placing all events", f"{found['rows']:,}", f"{found['placing_s']:.2f} s", share, "-", "-"
    parts = ", ".join(f"{name} {found[f'{name}_s']:.3f} s" for name in ("hubs", "components", "joining"))
    identifiers = f"{found['strong']:,} identifiers"
    yield "of that: joining all identifiers", identifiers, f"{found['graph_s']:.3f} s", parts, "-", "-"


def _increments(size: dict[str, Any]) -> Iterable[Sequence[str]]:
    wanted = f"≤ {TARGETS['increment']:.0%}"
    for name, key, target in (
        ("`build` after the newest events", "increment", wanted),
        ("`build` after 100 rows more", "small", "-"),
    ):
        figure = size[key]
        share = f"{figure['share']:.1%} of `build --full`"
        cells = _measured(figure, figure["touched"], share)
        yield name, f"{cells[0]} touched", *cells[1:], target


def _erasure(size: dict[str, Any]) -> Iterable[Sequence[str]]:
    figure = size["erasure"]
    parts = ", ".join(f"{name} {figure[f'{name}_s']:.1f} s" for name in ("plan", "lake", "build"))
    yield "`erase` one person", *_measured(figure, int(figure["events"]), parts), "-"
    past = size["suppression"]
    cells = _measured(past["with"], past["events"], f"{past['ratio']:.2f}× an import without")
    yield f"import past {past['hashes']:,} suppressed hashes", *cells, "-"


def _measured(figure: dict[str, Any], events: int, text: str) -> Sequence[str]:
    return f"{events:,}", f"{figure['seconds']:.1f} s", text, f"{figure['peak_bytes'] / 1e9:.2f} GB"


def _graph(size: dict[str, Any]) -> Sequence[str]:
    found = size["resolution"]
    numbers = [size["events"], *(found[name] for name in ("strong", "weak", "edges", "components", "groups"))]
    return [f"{number:,}" for number in (*numbers, size["build"]["persons"], found["shared"])]
