"""`percorso lifecycle`: who is new, comes back, falls silent; relationships and churn."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import pyarrow as pa
import typer

from percorso.analyses.lifecycle import LifecycleSpec
from percorso.analyses.result import Result
from percorso.analyses.spec import Scope
from percorso.cli.context import words_of
from percorso.cli.options import answer_of, as_of_text, asking, within_scope
from percorso.cli.output import Layout, Output, Section, warning_lines, write_told, writing
from percorso.cli.texts import mean_text, percent_text, units_of_time
from percorso.language.words import Words
from percorso.services.lifecycle import ask_lifecycle

__all__ = ["lifecycle_question", "register"]

_LAYOUT = Layout(
    formats={
        **dict.fromkeys(("share", "at_least", "ratio", "churn", "low", "high"), percent_text),
        **dict.fromkeys(("quick_ratio", "daily"), mean_text),
    },
    titles={"quick_ratio": "quick ratio", "at_least": "at least", "at_risk_days": "at risk", "lost_days": "lost"},
    secondary=("complete", "low high", "quick_ratio", "dormant"),
)


def register(app: typer.Typer) -> None:
    """Add `lifecycle` to the command line."""
    app.command("lifecycle")(lifecycle)


@within_scope(without=("by",))
def lifecycle_question(
    unit: Annotated[str, typer.Option(metavar="day|week|month", help="Length of the intervals.")] = "month",
    *,
    scope: Scope,
) -> LifecycleSpec:
    """The question that the options ask."""
    return LifecycleSpec(unit=unit, scope=scope)


@asking(lifecycle_question)
@writing
def lifecycle(ctx: typer.Context, spec: LifecycleSpec, target: Output) -> None:
    """Who is new, comes back, returns after a break, falls silent; how everybody stands to the brand; churn.

    Example: percorso lifecycle --unit week --from 2024-01-01
    """
    write_told(answer_of(ctx, ask_lifecycle, spec), target, _head, _sections, words_of(ctx))


def _head(answer: Result, words: Words) -> str:
    counted = words.text("counted.persons", n=answer.totals["persons"])
    return words.text("terminal.counted_as_of", counted=counted, as_of=as_of_text(answer, words))


def _sections(answer: Result, words: Words) -> Iterator[Section]:
    tables = answer.tables
    notes = (words.text("terminal.intervals_note"), *warning_lines(answer.warnings, words))
    # Why there is no churn stands in the notes, and as a code in the other formats.
    yield Section(words.text("terminal.intervals"), answer.table.drop_columns(["missing"]), notes, _LAYOUT)
    yield Section(words.text("terminal.relationships"), tables["relationships"], (), _LAYOUT)
    if tables["limits"].num_rows:
        note = words.text("terminal.limits_note")
        yield Section(words.text("terminal.limits"), tables["limits"], (note,), _LAYOUT)
    if tables["stickiness"].num_rows:
        title = words.text("terminal.stickiness", units=units_of_time(answer.spec.unit, words))
        yield Section(title, tables["stickiness"], (), _LAYOUT)
    ratios = [
        f"{name.replace('_', '/').upper()} {percent_text(answer.totals[name], words)}" for name in _ratios(answer)
    ]
    if ratios:
        yield Section(words.text("terminal.ratios"), _months(answer), (", ".join(ratios),), _LAYOUT)


def _months(answer: Result) -> pa.Table:
    """Weeks are in the other formats."""
    ratios = answer.tables["ratios"]
    kept = [row for row in ratios.to_pylist() if row["period"] == "month"]
    return pa.Table.from_pylist(kept, schema=ratios.schema).drop_columns(["period"])


def _ratios(answer: Result) -> list[str]:
    return [name for name in ("dau_wau", "dau_mau", "wau_mau") if answer.totals[name] is not None]
