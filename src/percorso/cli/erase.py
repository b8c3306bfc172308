"""`percorso erase ID`: everything that is held on a person, gone for good."""

from __future__ import annotations

import sys
from typing import Annotated
from zoneinfo import ZoneInfo

import pyarrow as pa
import typer

from percorso.cli.context import words_of, workspace_of
from percorso.cli.output import Format, JsonReportOption, Output, Section, write_json, write_page
from percorso.cli.texts import day_text, labelled
from percorso.errors import UserError
from percorso.language.said import said
from percorso.language.words import Words
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
    workspace, words = workspace_of(ctx), words_of(ctx)
    zone = zone_of(workspace.settings.workspace.timezone)
    if dry_run:
        _tell(preview_erasure(workspace, identifier, kind=kind, space=space), zone, words, as_json=as_json)
        return
    check_reason(reason)
    if not yes:
        _check_person_asks()
        shown = preview_erasure(workspace, identifier, kind=kind, space=space)
        typer.echo("\n".join([_head(shown, zone, words), "", *_staying(shown, words), ""]), err=True)
        if not _confirmed(words):
            typer.echo(words.text("erasure.nothing_done"), err=True)
            raise typer.Exit(2)
        if shown.person:
            identifier, kind, space = shown.person, "person", ""
    report = erase_person(workspace, identifier, kind=kind, space=space, author=author, reason=reason)
    _tell(report, zone, words, as_json=as_json)


def _check_person_asks() -> None:
    if not sys.stdin.isatty():
        raise UserError(said("errors.nobody_confirms"), hint=said("errors.nobody_confirms_hint"))


def _confirmed(words: Words) -> bool:
    """Ask; whatever is no yes in the reader's language, or "y", is a no: nothing of it can be undone."""
    question = words.text("erasure.yes_or_no", question=words.text("erasure.asks"))
    answer = typer.prompt(question, default="", show_default=False, err=True).strip().casefold()
    return answer in {"y", *words.text("erasure.yes").split(", ")}


def _tell(report: ErasureReport, zone: ZoneInfo, words: Words, *, as_json: bool) -> None:
    if as_json:
        write_json(report.as_dict())
    else:
        notes = tuple(_staying(report, words))
        section = Section(words.text("erasure.identifiers"), _identifiers(report, words), notes=notes)
        write_page(_head(report, zone, words), [section], Output(Format.table), words)


def _head(report: ErasureReport, zone: ZoneInfo, words: Words) -> str:
    events = words.text(
        "erasure.events_of",
        rows=words.text("counted.rows", n=report.events),
        imports=words.text("counted.imports", n=report.imports),
        orders=words.text("counted.orders", n=report.orders),
    )
    decisions = words.text("counted.decisions", n=report.decisions)
    lines = {
        words.text("erasure.person"): report.person or words.text("erasure.nobody"),
        words.text("erasure.seen"): _seen(report, zone, words),
        words.text("erasure.events"): events,
        words.text("erasure.rejected"): words.text("counted.rows", n=report.rejected),
        words.text("erasure.elsewhere"): words.text("erasure.elsewhere_of", n=report.elsewhere),
        words.text("erasure.decisions"): words.text(
            "erasure.decisions_of", decisions=decisions, reworded=report.reworded
        ),
        words.text("erasure.known_by"): ", ".join(
            f"{one.kind} {one.shown}" for one in report.identifiers if one.erased
        ),
    }
    title = words.text("erasure.done") if report.done else words.text("erasure.preview")
    return "\n".join([title, "", *labelled(lines)])


def _names(report: ErasureReport, *, erased: bool) -> list[str]:
    return [f"{one.kind} {one.shown}" for one in report.identifiers if one.erased is erased]


def _seen(report: ErasureReport, zone: ZoneInfo, words: Words) -> str:
    if report.first_us is None or report.last_us is None:
        return words.text("erasure.never")
    first, last = (day_text(time_us, zone, words) for time_us in (report.first_us, report.last_us))
    return words.text("terminal.seen_from_to", first=first, last=last)


def _staying(report: ErasureReport, words: Words) -> list[str]:
    """What is not erased, and why, in sentences."""
    shared = _names(report, erased=False)
    short = [f"{one.kind} {one.shown}" for one in report.identifiers if one.erased and not one.sought]
    told = []
    if shared:
        told.append(words.text("erasure.stays_shared", names=", ".join(shared)))
    if short:
        told.append(words.text("erasure.too_short", names=", ".join(short)))
    if report.doubtful_rejected:
        told.append(words.text("erasure.stays_rejected", n=report.doubtful_rejected))
    if report.doubtful_elsewhere:
        told.append(words.text("erasure.stays_events", n=report.doubtful_elsewhere))
    return [*told, words.text("erasure.names")]


def _identifiers(report: ErasureReport, words: Words) -> pa.Table:
    erased, stays = words.text("erasure.becomes_erased"), words.text("erasure.becomes_kept")
    return pa.Table.from_pylist(
        [
            {
                "type": one.kind,
                "space": one.space,
                "value": one.shown,
                "events": one.events,
                "what becomes of it": erased if one.erased else stays,
            }
            for one in report.identifiers
        ]
    )
