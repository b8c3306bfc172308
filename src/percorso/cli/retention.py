"""`percorso retention`: cohorts, and who of them comes back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

import pyarrow as pa
import typer

from percorso.analyses.result import Result
from percorso.analyses.retention import RetentionSpec
from percorso.analyses.spec import Scope
from percorso.cli.context import words_of
from percorso.cli.options import answer_of, as_of_text, asking, within_scope
from percorso.cli.output import Layout, Output, Section, warning_lines, write_told, writing
from percorso.cli.texts import percent_text, units_of_time
from percorso.language.words import ENGLISH, Words
from percorso.services.retention import ask_retention

__all__ = ["register", "retention_question", "wide_table"]

_WHAT = "order|activity|CONDITION"


def register(app: typer.Typer) -> None:
    """Add `retention` to the command line."""
    app.command("retention")(retention)


@within_scope()
def retention_question(
    start: Annotated[
        str, typer.Option(metavar=_WHAT, help="What puts a person into a cohort: the first order, action or event.")
    ] = "order",
    back: Annotated[str, typer.Option("--return", metavar=_WHAT, help="What counts as coming back.")] = "order",
    unit: Annotated[str, typer.Option(metavar="day|week|month", help="Length of the periods.")] = "month",
    mode: Annotated[
        str, typer.Option(metavar="on|on-or-after", help="Came back in that period, or in it or any later one.")
    ] = "on",
    recurring: Annotated[
        bool, typer.Option("--recurring", help="In the cohort of every period with a start, not of the first only.")
    ] = False,
    periods: Annotated[int, typer.Option(metavar="N", help="How many periods after the start to show.")] = 12,
    *,
    scope: Scope,
) -> RetentionSpec:
    """The question that the options ask."""
    return RetentionSpec(
        start=start, back=back, unit=unit, mode=mode, recurring=recurring, periods=periods, scope=scope
    )


@asking(retention_question)
@writing
def retention(ctx: typer.Context, spec: RetentionSpec, target: Output) -> None:
    """Of those who began in a period, how many come back in each period after it; by default: first orders, and later.

    Example: percorso retention --from 2024-01-01; percorso retention --start activity --return activity --unit week
    """
    write_told(answer_of(ctx, ask_retention, spec), target, _head, _sections, words_of(ctx))


def _head(answer: Result, words: Words) -> str:
    return words.text(
        "terminal.retention_head",
        persons=words.text("counted.persons", n=answer.totals["persons"]),
        cohorts=words.text("counted.cohorts", n=answer.totals["n_cohorts"]),
        as_of=as_of_text(answer, words),
    )


def _sections(answer: Result, words: Words) -> Iterator[Section]:
    units = units_of_time(answer.spec.unit, words)
    notes = (words.text("terminal.cohorts_note", units=units), *warning_lines(answer.warnings, words))
    yield Section(words.text("terminal.cohorts"), wide_table(answer, words), notes, _wide_layout(answer))
    if "repeat" in answer.tables and answer.tables["repeat"].num_rows:
        formats = dict.fromkeys(("rate", "low", "high"), percent_text)
        layout = Layout(formats=formats, titles={"within_days": "within days"}, secondary=("low high",))
        note = words.text("terminal.ordered_again_note")
        yield Section(words.text("terminal.ordered_again"), _of_all(answer), (note,), layout)


def _columns_k(answer: Result) -> list[str]:
    """The periods of which at least one cohort knows the end."""
    known = {row["k"] for row in answer.tables["average"].to_pylist() if row["cohorts"]}
    return [str(k) for k in sorted(known)]


def wide_table(answer: Result, words: Words = ENGLISH) -> pa.Table:
    """A row a cohort, a column a period, and below the mean weighted by size."""
    by = answer.spec.scope.by
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    for name, label in (("cohorts", ""), ("average", "all")):
        for row in answer.tables[name].to_pylist():
            group, cohort = row.get(by, "") if by else "", label or row["cohort"]
            line = rows.setdefault((group, cohort), {**({by: group} if by else {}), "cohort": cohort, "size": 0})
            if not label:
                line["size"] = row["size"]
            line[str(row["k"])] = row["share"]
    for (group, cohort), line in rows.items():
        if cohort == "all":
            line["size"] = sum(one["size"] for (of, name), one in rows.items() if of == group and name != "all")
            line["cohort"] = words.text("terminal.all_cohorts")
    ordered = sorted(rows.items(), key=lambda item: item[0][0]) if by else rows.items()
    names = [*([by] if by else []), "cohort", "size", *_columns_k(answer)]
    lines = [line for _, line in ordered]
    kinds = {"size": pa.int64(), "cohort": pa.string(), **({by: pa.string()} if by else {})}
    return pa.table(
        {name: pa.array([line.get(name) for line in lines], kinds.get(name, pa.float64())) for name in names}
    )


def _wide_layout(answer: Result) -> Layout:
    periods = _columns_k(answer)
    return Layout(formats=dict.fromkeys(periods, percent_text), secondary=tuple(reversed(periods[1:])))


def _of_all(answer: Result) -> pa.Table:
    """The rates of all cohorts together; those of each are in the other formats."""
    repeat = answer.tables["repeat"]
    kept = [row for row in repeat.to_pylist() if row["cohort"] == ""]
    return pa.Table.from_pylist(kept, schema=repeat.schema).drop_columns(["cohort", "missing"])
