"""`percorso suggest timeout`: a setting that the data speak for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import pyarrow as pa
import typer

from percorso.analyses.result import Result
from percorso.analyses.spec import Scope
from percorso.analyses.timeouts import TimeoutsSpec
from percorso.cli.context import words_of
from percorso.cli.options import answer_of, as_of_text, asking, within_scope
from percorso.cli.output import Layout, Output, Section, warning_lines, write_told, writing
from percorso.cli.texts import percent_text
from percorso.language.said import again
from percorso.language.words import Words
from percorso.services.suggest import suggest_timeout

__all__ = ["register", "timeout_question"]

_LAYOUT = Layout(
    formats=dict.fromkeys(("share", "low", "high", "conversion"), percent_text),
    titles={"timeout_days": "time-out, days", "cut_off": "cut off", "persons": "buyers"},
    numbers=("timeout_days",),
    secondary=("low high", "persons", "open", "abandoned", "converted"),
)


def register(app: typer.Typer) -> None:
    """Add `suggest` to the command line."""
    suggest = typer.Typer(no_args_is_help=True, help="Settings that the data speak for.")
    suggest.command("timeout")(timeout)
    suggest.callback()(_no_options)
    app.add_typer(suggest, name="suggest")


def _no_options() -> None: ...


@within_scope(without=("by",))
def timeout_question(
    at_most: Annotated[
        float, typer.Option("--at-most", metavar="SHARE", help="What share of conversions may be cut off.")
    ] = 0.05,
    *,
    scope: Scope,
) -> TimeoutsSpec:
    """The question that the options ask."""
    return TimeoutsSpec(at_most=at_most, scope=scope)


@asking(timeout_question)
@writing
def timeout(ctx: typer.Context, spec: TimeoutsSpec, target: Output) -> None:
    """After how much silence a purchase journey should count as abandoned: how many later buyers each choice cuts off.

    Example: percorso suggest timeout
    """
    write_told(answer_of(ctx, suggest_timeout, spec), target, _head, _sections, words_of(ctx))


def _head(answer: Result, words: Words) -> str:
    days = answer.totals["recommended_days"]
    lead = words.text("terminal.not_recommended") if days is None else words.text("terminal.recommended", days=days)
    return f"{lead} {again(answer.totals['reason'], words)}"


def _sections(answer: Result, words: Words) -> Iterator[Section]:
    days = answer.totals["recommended_days"]
    is_new = days is not None and days != answer.totals["current_days"]
    yield Section(
        words.text("terminal.timeouts"),
        answer.table,
        (
            words.text("terminal.cut_off_note"),
            words.text("terminal.as_of", as_of=as_of_text(answer, words)),
            *((words.text("terminal.timeout_setting", setting=f'timeout = "{days}d"'),) if is_new else ()),
            *warning_lines(answer.warnings, words),
        ),
        _LAYOUT,
    )
    found = answer.tables["categories"]
    best = found.filter(found.column("recommended"))
    if best.num_rows:
        yield _by_category(best.drop_columns(["recommended"]), answer, words)


def _by_category(best: pa.Table, answer: Result, words: Words) -> Section:
    """The recommended time-out of each category, and how to set the first that differs from the one of all."""
    rows, at_most = best.to_pylist(), answer.spec.at_most
    too_many = [row["share"] > at_most for row in rows]
    shown = [
        f"> {row['timeout_days']}" if many else str(row["timeout_days"])
        for row, many in zip(rows, too_many, strict=True)
    ]
    notes = []
    if any(too_many):
        days = max(row["timeout_days"] for row in rows)
        notes.append(words.text("terminal.timeout_even_so", days=days, limit=percent_text(at_most, words)))
    others = [row for row in rows if row["timeout_days"] != answer.totals["recommended_days"]]
    if others:
        setting = f'"{others[0]["category"]}" = "{others[0]["timeout_days"]}d"'
        notes.append(words.text("terminal.timeout_setting_of", setting=setting))
    at = best.schema.get_field_index("timeout_days")
    table = best.set_column(at, "timeout_days", pa.array(shown, pa.string()))
    return Section(words.text("terminal.timeouts_by_category"), table, tuple(notes), _LAYOUT)
