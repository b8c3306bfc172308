"""`percorso report`: everything that matters on one page, for the team."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from percorso.analyses.spec import Scope
from percorso.cli.context import words_of, workspace_of
from percorso.cli.options import asking, within_scope
from percorso.cli.output import warning_lines
from percorso.cli.progress import ready_log
from percorso.errors import FileError
from percorso.reports.spec import AUTO, SECTIONS, ReportSpec
from percorso.services.report import make_report

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add `report` to the command line."""
    app.command("report")(report)


@within_scope(without=("where", "by", "include_bots", "include_heavy"))
def report_scope(scope: Scope) -> Scope:
    """Whom and which period the report is of."""
    return scope


@asking(report_scope)
def report(
    ctx: typer.Context,
    scope: Scope,
    html: Annotated[Path, typer.Option("--html", metavar="FILE", help="Write the page into this file.")],
    compare: Annotated[
        str,
        typer.Option(
            metavar="auto|previous|last-year|none",
            help="Period to compare with. auto: the one before, where the data reach back so far.",
        ),
    ] = AUTO,
    language: Annotated[
        str, typer.Option(metavar="en|it", help="Language of the page. Default: of `percorso --language`.")
    ] = "",
    section: Annotated[
        list[str] | None,
        typer.Option("--section", metavar="NAME", help=f"Only this section; may be repeated. {', '.join(SECTIONS)}."),
    ] = None,
) -> None:
    """One page that holds everything: KPIs, map, funnel, flows, channels, cohorts, data quality. It needs no network.

    Example: percorso report --html report.html --language it
    """
    if html.is_dir() or not html.absolute().parent.is_dir():
        raise FileError(f"{html} cannot be written.", hint="Name a file in a folder that there is.")
    words = words_of(ctx, language)
    spec = ReportSpec(scope=scope, compare=compare, language=words.language, sections=tuple(section or ()))
    workspace = workspace_of(ctx)
    made = make_report(workspace, spec, log=ready_log(workspace, words))
    made.save(html)
    for line in warning_lines(made.warnings, words):
        typer.echo(line, err=True)
    typer.echo(words.text("terminal.written", file=str(html)), err=True)
