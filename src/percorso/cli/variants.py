"""`percorso variants`: the most common paths."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Annotated

import pyarrow as pa
import typer

from percorso.analyses.result import Result
from percorso.analyses.spec import Scope
from percorso.analyses.variants import VariantsSpec
from percorso.cli.context import words_of
from percorso.cli.flow import node_families
from percorso.cli.options import (
    CollapseOption,
    KindOption,
    OutcomeOption,
    PerOption,
    UnitOption,
    answer_of,
    as_of_text,
    asking,
    within_scope,
)
from percorso.cli.output import Format, Layout, Output, write_answer, write_table, writing
from percorso.cli.texts import percent_text, seconds_text
from percorso.language.words import ENGLISH, Words
from percorso.services.variants import ask_variants

__all__ = ["register", "table_for_people", "variants_question"]

_LAYOUT = Layout(
    formats={
        **dict.fromkeys(("share", "coverage", "conversion", "low", "high"), percent_text),
        "median": seconds_text,
    },
    secondary=("low high", "median"),
)
#: Columns that people see, and what they are in the answer.
_COLUMNS = {
    "count": "count",
    "share": "share",
    "coverage": "cumulative",
    "conversion": "conversion",
    "low": "low",
    "high": "high",
    "median": "median_s",
    "path": "path",
}


def register(app: typer.Typer) -> None:
    """Add `variants` to the command line."""
    app.command("variants")(variants)


@within_scope()
def variants_question(
    unit: UnitOption = "event",
    top: Annotated[int, typer.Option(metavar="N", help="How many to spell out; the rest is counted as other.")] = 20,
    collapse: CollapseOption = False,
    kind: KindOption = "",
    outcome: OutcomeOption = "",
    per: PerOption = "journey",
    counts_only: Annotated[bool, typer.Option("--counts-only", help="No times and orders: faster.")] = False,
    *,
    scope: Scope,
) -> VariantsSpec:
    """The variants that the options ask for."""
    scope = replace(scope, per=per)
    return VariantsSpec(
        unit=unit, top=top, collapse=collapse, kind=kind, outcome=outcome, counts_only=counts_only, scope=scope
    )


@asking(variants_question)
@writing
def variants(ctx: typer.Context, spec: VariantsSpec, target: Output) -> None:
    """The most common paths, what share of all they cover, and how they convert.

    Example: percorso variants --unit place --collapse --top 10
    """
    words = words_of(ctx)
    answer = answer_of(ctx, ask_variants, spec)
    if target.format is not Format.table:
        write_answer(answer, target, words=words)
        return
    total = counted(answer.totals["total"], spec.scope.per, words)
    distinct = words.text("terminal.distinct_paths", n=answer.totals["distinct"])
    notes = (words.text("terminal.variants", total=total, distinct=distinct, as_of=as_of_text(answer, words)),)
    table = table_for_people(answer, words)
    write_table(table, target, layout=_LAYOUT, notes=notes, warnings=answer.warnings, words=words)


def counted(n: int, unit: str, words: Words) -> str:
    """A number of journeys, sessions or persons."""
    match unit:
        case "journey":
            return words.text("counted.journeys", n=n)
        case "session":
            return words.text("counted.sessions", n=n)
        case _:
            return words.text("counted.persons", n=n)


def table_for_people(answer: Result, words: Words = ENGLISH) -> pa.Table:
    """The variants and below them the others, numbers first, so that long paths can wrap."""
    shown = answer.table.to_pylist()
    others = [row for row in answer.tables["other"].to_pylist() if row["count"]]
    rows = [
        *(row | {"path": " > ".join(_names(row["path"], answer.spec.unit, words))} for row in shown),
        *(row | {"path": words.text("terminal.other_variants", n=row["variants"])} for row in others),
    ]
    by = answer.spec.scope.by
    columns = {**({by: by} if by else {}), **_COLUMNS}
    schema = answer.table.schema
    return pa.table(
        {
            title: pa.array([row.get(name) for row in rows], pa.string() if name == "path" else schema.field(name).type)
            for title, name in columns.items()
            if name in schema.names
        }
    )


def _names(path: Sequence[str], unit: str, words: Words) -> Iterator[str]:
    family = node_families(unit, "path").get("path", "value")  # of events too: "(other)"
    return (words.code(family, node) for node in path)
