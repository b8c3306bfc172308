"""`percorso kpis`: what a shop counts, by stage, with intervals, comparison and targets."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Annotated

import pyarrow as pa
import typer

from percorso.analyses.kpi_catalogue import KPIS
from percorso.analyses.kpis import KpisSpec
from percorso.analyses.result import Result
from percorso.analyses.spec import Scope
from percorso.cli.context import words_of
from percorso.cli.kpi_tables import kpi_sections
from percorso.cli.options import answer_of, as_of_text, asking, within_scope
from percorso.cli.output import Format, Output, Section, warning_lines, write_table, write_told, writing
from percorso.language.kpi_words import kpi_label, kpi_meaning, kpi_name
from percorso.language.tax import tax_note
from percorso.language.words import ENGLISH, Words
from percorso.services.kpis import ask_kpis
from percorso.time import zone_of

__all__ = ["kpis_question", "register"]

_PANEL = "How it is shown"

LastOption = Annotated[
    str, typer.Option("--last", metavar="DAYS", help="The last so many days, such as 30d; instead of --from and --to.")
]
CompareOption = Annotated[
    str,
    typer.Option("--compare", metavar="previous|last-year", help="Beside it the period before, or that of last year."),
]
EveryOption = Annotated[str, typer.Option("--every", metavar="day|week|month", help="A trend as well.")]
KpiOption = Annotated[
    list[str] | None, typer.Option("--kpi", metavar="KEY", help="Only this one; may be given several times.")
]
LanguageOption = Annotated[
    str,
    typer.Option(
        "--language",
        metavar="en|it",
        help="Default: of `percorso --language`.",
        rich_help_panel=_PANEL,
    ),
]


def register(app: typer.Typer) -> None:
    """Add `kpis` to the command line."""
    app.command("kpis")(kpis)


@within_scope()
def kpis_question(
    last: LastOption = "",
    compare: CompareOption = "",
    every: EveryOption = "",
    kpi: KpiOption = None,
    *,
    scope: Scope,
) -> KpisSpec:
    """The KPIs that the options ask for."""
    return KpisSpec(scope=scope, last=last, compare=compare, every=every, kpis=tuple(kpi or ()))


@asking(kpis_question)
@writing
def kpis(
    ctx: typer.Context,
    spec: KpisSpec,
    listed: Annotated[
        bool, typer.Option("--list", help="What every KPI means, without values.", rich_help_panel=_PANEL)
    ] = False,
    language: LanguageOption = "",
    *,
    target: Output,
) -> None:
    """KPIs by stage: value, interval, comparison, target; and why one is missing.

    Example: percorso kpis --last 30d --compare previous; percorso kpis --kpi revenue --by place --every month
    """
    words = words_of(ctx, language)
    # Programs get the same whoever reads it.
    words_of_rows = words if target.format is Format.table else ENGLISH
    if listed:
        write_table(_list(spec, words_of_rows), target, words=words)
        return
    answer = answer_of(ctx, ask_kpis, spec, language=words_of_rows.language)
    if "trend" in answer.tables and target.format in (Format.csv, Format.parquet):
        # A file of rows holds the trend where one was asked for; JSON holds both.
        answer = replace(answer, tables={"trend": answer.tables["trend"]})
    write_told(answer, target, _head, _sections, words)


def _list(spec: KpisSpec, words: Words) -> pa.Table:
    """Every KPI in words."""
    language = words.language
    rows = [
        {
            "kpi": kpi.key,
            "name": kpi_name(kpi.key, language),
            "stage": kpi_label(kpi.stage, language),
            "unit": kpi.unit,
            "better": kpi.better,
            "meaning": kpi_meaning(kpi.key, language),
        }
        for kpi in KPIS
        if not spec.kpis or kpi.key in spec.kpis
    ]
    return pa.Table.from_pylist(rows)


def _sections(answer: Result, words: Words) -> list[Section]:
    sections = kpi_sections(answer, words.language)
    has_money = any(row["unit"] == "money" and row["value"] is not None for row in answer.table.to_pylist())
    amounts = (tax_note(answer.totals["tax"], words),) if has_money else ()
    notes = (kpi_label("interval_note", words.language), *amounts, *warning_lines(answer.warnings, words))
    if sections:
        sections[-1] = replace(sections[-1], notes=notes)
    return sections


def _head(answer: Result, words: Words) -> str:
    """Which period this is, and with which it is compared."""
    zone, language = zone_of(answer.spec.scope.timezone), words.language
    text = f"{kpi_label('head', language)} {_period(answer.totals['period'], zone.key, words)}"
    if "earlier_period" in answer.totals:
        text += f", {kpi_label('compared', language)} {_period(answer.totals['earlier_period'], zone.key, words)}"
    return f"{text}. {kpi_label('as_of', language)} {as_of_text(answer, words)}."


def _period(period: dict[str, str], zone: str, words: Words) -> str:
    """First and last day of a period."""
    first, last = (words.numbers.date(_day(period[end], zone, us)) for end, us in (("start", 0), ("end", -1)))
    return first if first == last else f"{first} – {last}"


def _day(instant: str, zone: str, microseconds: int) -> date:
    moment = datetime.fromisoformat(instant) + timedelta(microseconds=microseconds)
    return moment.astimezone(zone_of(zone)).date()
