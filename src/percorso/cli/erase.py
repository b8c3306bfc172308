"""`percorso erase ID`: everything that is held on a person, gone for good."""

from __future__ import annotations

import sys
from typing import Annotated
from zoneinfo import ZoneInfo

import pyarrow as pa
import typer

from percorso.cli.context import workspace_of
from percorso.cli.output import Format, JsonReportOption, Output, Section, write_json, write_page
from percorso.cli.texts import count_of, local_text
from percorso.errors import UserError
from percorso.services.erasure import ErasureReport, check_reason, erase_person, preview_erasure
from percorso.time import zone_of

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add `erase` to the command line."""
    app.command("erase")(erase)


def erase(
    ctx: typer.Context,
    identifier: Annotated[
        str,
        typer.Argument(metavar="ID", help="A person's id, user id, e-mail, phone, card, device id, ..."),
    ],
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why; kept, so it must not name the person.")] = "",
    kind: Annotated[
        str, typer.Option("--type", metavar="TYPE", help="What the id is: person, user_id, email, phone, ...")
    ] = "",
    space: Annotated[str, typer.Option(metavar="SPACE", help="Only ids of this id space.")] = "",
    author: Annotated[str, typer.Option(metavar="NAME", help="Who erases. Default: your name on this machine.")] = "",
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would go; change nothing.")] = False,
    as_json: JsonReportOption = False,
) -> None:
    """Erase a person: events, rejected rows, traits, journeys, decisions. It cannot be undone.

    Later imports of the same files do not bring them back. Keep what you must
    keep (invoices) elsewhere.

    Where no event is known by the ID, it goes out of rejected rows and of texts
    of others; --type and --space then say what it is.
    """
    workspace = workspace_of(ctx)
    zone = zone_of(workspace.settings.workspace.timezone)
    if dry_run:
        _tell(preview_erasure(workspace, identifier, kind=kind, space=space), zone, as_json=as_json)
        return
    check_reason(reason)
    if not yes:
        _check_person_asks()
        shown = preview_erasure(workspace, identifier, kind=kind, space=space)
        typer.echo("\n".join([_head(shown, zone), "", *_staying(shown), ""]), err=True)
        if not typer.confirm("Erase all of it? It cannot be undone.", err=True):
            typer.echo("Nothing was erased.", err=True)
            raise typer.Exit(2)
        if shown.person:
            identifier, kind, space = shown.person, "person", ""
    report = erase_person(workspace, identifier, kind=kind, space=space, author=author, reason=reason)
    _tell(report, zone, as_json=as_json)


def _check_person_asks() -> None:
    if not sys.stdin.isatty():
        raise UserError(
            "Nobody is there to confirm the erasure; nothing was done.",
            hint="See what would go with --dry-run, then add --yes.",
        )


def _tell(report: ErasureReport, zone: ZoneInfo, *, as_json: bool) -> None:
    if as_json:
        write_json(report.as_dict())
    else:
        section = Section("Identifiers", _identifiers(report), notes=tuple(_staying(report)))
        write_page(_head(report, zone), [section], Output(Format.table))


def _head(report: ErasureReport, zone: ZoneInfo) -> str:
    lines = {
        "Person": report.person or "none: no event is known by this identifier",
        "Seen": _seen(report, zone),
        "Events": f"{count_of(report.events, 'row')} of {count_of(report.imports, 'import')},"
        f" {count_of(report.orders, 'order')}",
        "Rejected": count_of(report.rejected, "row"),
        "Elsewhere": f"mentioned in {count_of(report.elsewhere, 'event')} of others",
        "Decisions": f"{count_of(report.decisions, 'decision')}, a mention in {report.reworded} others or records",
        "Known by": ", ".join(f"{one.kind} {one.shown}" for one in report.identifiers if one.erased),
    }
    told = [f"  {name:<10} {text}" for name, text in lines.items()]
    title = "Erased for good" if report.done else "What an erasure takes away"
    return "\n".join([title, "", *told])


def _seen(report: ErasureReport, zone: ZoneInfo) -> str:
    if report.first_us is None or report.last_us is None:
        return "never"
    return f"{local_text(report.first_us, zone)[:10]} to {local_text(report.last_us, zone)[:10]}"


def _staying(report: ErasureReport) -> list[str]:
    """What is not erased, and why, in sentences."""
    shared = [f"{one.kind} {one.shown}" for one in report.identifiers if not one.erased]
    short = [f"{one.kind} {one.shown}" for one in report.identifiers if one.erased and not one.sought]
    told = []
    if shared:
        told.append(f"Stays, because others have it, too: {', '.join(shared)}.")
    if short:
        told.append(
            f"Too short to tell in running text, so looked for only in cells and after a word that says what it is:"
            f" {', '.join(short)}."
        )
    if report.doubtful_rejected:
        told.append(
            f"Stays: {count_of(report.doubtful_rejected, 'rejected row')} in which something stands that may mean this"
            " person or anything else; look at them with `percorso rejected`."
        )
    if report.doubtful_elsewhere:
        told.append(
            f"Stays: {count_of(report.doubtful_elsewhere, 'event')} of others with texts in which something stands that"
            " may mean this person or anything else."
        )
    return [*told, "Not looked for: people's names in texts."]


def _identifiers(report: ErasureReport) -> pa.Table:
    return pa.Table.from_pylist(
        [
            {
                "type": one.kind,
                "space": one.space,
                "value": one.shown,
                "events": one.events,
                "what becomes of it": "erased" if one.erased else "stays: others have it, too",
            }
            for one in report.identifiers
        ]
    )
