"""`percorso erase ID`: everything that is held on a person, gone for good."""

from __future__ import annotations

import sys
from typing import Annotated
from zoneinfo import ZoneInfo

import pyarrow as pa
import typer

from percorso.cli.context import workspace_of
from percorso.cli.output import Format, JsonOption, Output, Section, write_json, write_page
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
    as_json: JsonOption = False,
) -> None:
    """Erase a person: events, rejected rows, traits, journeys, decisions. It cannot be undone.

    Later imports of the same files do not bring them back. Keep what you must keep (invoices) elsewhere.
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
        typer.echo(_head(shown, zone), err=True)
        typer.confirm("Erase all of it? It cannot be undone.", abort=True, err=True)
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
        write_page(_head(report, zone), [Section("Identifiers", _identifiers(report))], Output(Format.table))


def _head(report: ErasureReport, zone: ZoneInfo) -> str:
    first, last = (local_text(us, zone)[:10] for us in (report.first_us, report.last_us))
    stored = f"{count_of(report.events, 'row')} of {count_of(report.imports, 'import')}"
    lines = {
        "Person": report.person,
        "Seen": f"{first} to {last}",
        "Events": f"{stored}, {count_of(report.orders, 'order')}",
        "Rejected": count_of(report.rejected, "row"),
        "Elsewhere": f"mentioned in {count_of(report.elsewhere, 'event')} of others",
        "Known by": ", ".join(f"{one.kind} {one.shown}" for one in report.identifiers if one.erased),
    }
    told = [f"  {name:<10} {text}" for name, text in lines.items()]
    title = "Erased for good" if report.done else "What an erasure takes away"
    return "\n".join([title, "", *told])


def _identifiers(report: ErasureReport) -> pa.Table:
    return pa.Table.from_pylist(
        [
            {
                "type": one.kind,
                "space": one.space,
                "value": one.shown,
                "events": one.events,
                "what becomes of it": "erased" if one.erased else "others have it, too",
            }
            for one in report.identifiers
        ]
    )
