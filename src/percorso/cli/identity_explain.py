"""`percorso identity explain ID`: the chain of evidence, what was refused, and the rules that placed the events."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Annotated
from zoneinfo import ZoneInfo

import pyarrow as pa
import typer

from percorso.cli.context import command_line, workspace_of
from percorso.cli.identity_words import (
    RULES,
    event_name,
    event_paragraph,
    name_of,
    refusal_words,
    sharing_words,
    told_decision,
)
from percorso.cli.output import Format, JsonReportOption, Layout, Output, Section, write_json, write_page
from percorso.cli.progress import ready_log
from percorso.cli.tables import wrapped
from percorso.cli.texts import count_of, local_text
from percorso.errors import SpecError
from percorso.services.explained import Connection, EventExplanation, Explanation
from percorso.services.identity_explain import explain_event, explain_identity
from percorso.time import zone_of

__all__ = ["explain_command"]

_SHOWN = 20
_WIDTH = 80  # of sentences that are read as a text

_STANDINGS = {
    "own": "this person's",
    "shared": "shared: nobody's alone",
    "another": "another person's",
    "device": "browser or device",
}


def explain_command(
    ctx: typer.Context,
    identifier: Annotated[
        str, typer.Argument(metavar="ID", help="An identifier as your sources write it, or a person's id.")
    ] = "",
    event: Annotated[
        str, typer.Option("--event", metavar="MESSAGE", help="Instead of an ID: why this one event is whose it is.")
    ] = "",
    source: Annotated[
        str, typer.Option(metavar="NAME", help="With --event: the source, where several sent such a message id.")
    ] = "",
    kind: Annotated[
        str, typer.Option("--type", metavar="TYPE", help="What the id is: person, user_id, email, phone, ...")
    ] = "",
    space: Annotated[str, typer.Option(metavar="SPACE", help="Only ids of this id space.")] = "",
    personal: Annotated[bool, typer.Option("--personal", help="Show identifiers as they are.")] = False,
    as_json: JsonReportOption = False,
) -> None:
    """Why an identifier is whose it is: what joined it, what was refused, which rules placed the events.

    Example: percorso identity explain anna@posta.example
    """
    _check_one(identifier, event, source, kind or space)
    workspace = workspace_of(ctx)
    zone = zone_of(workspace.settings.workspace.timezone)
    log = ready_log(workspace)
    if event:
        told = explain_event(workspace, event, source=source, personal=personal, log=log)
        backfill_us = workspace.settings.identity.backfill_us
        write_json(told.as_json()) if as_json else typer.echo(_event_text(told, zone, backfill_us))
        return
    found = explain_identity(workspace, identifier, kind=kind, space=space, personal=personal, log=log)
    if as_json:
        write_json(found.as_json())
    else:
        sections = [*_sections(found, zone, workspace.settings.identity.backfill_us, command_line(ctx))]
        write_page(_head(found, zone), sections, Output(Format.table))


def _check_one(identifier: str, event: str, source: str, narrowed: str) -> None:
    if bool(identifier) == bool(event):
        raise SpecError("Ask for an identifier or for an event.", hint="Give an ID, or --event with a message id.")
    if source and not event:
        raise SpecError("--source belongs to --event.", hint="For an identifier say --space.")
    if narrowed and event:
        raise SpecError("--type and --space belong to an ID.", hint="With --event leave them out.")


def _event_text(told: EventExplanation, zone: ZoneInfo, backfill_us: int) -> str:
    paragraph = event_paragraph(told, zone, backfill_us)
    return "\n".join([event_name(told.event, zone), "", *_indented(paragraph), "", f"  Rule: {told.rule}"])


def _indented(text: str) -> list[str]:
    return [f"  {line}" for line in wrapped(text, _WIDTH - 2)]


def _head(found: Explanation, zone: ZoneInfo) -> str:
    title, lines = _title(found)
    if found.first_us is not None and found.last_us is not None:
        first, last = (local_text(us, zone)[:10] for us in (found.first_us, found.last_us))
        lines["Events"] = f"{count_of(found.events, 'event')}, {first} to {last}"
    else:
        lines["Events"] = "none"
    told = [f"  {name:<8} {text}" for name, text in lines.items()]
    why = ["", *_indented(sharing_words(found.sharing))] if found.sharing else []
    return "\n".join([title, "", *told, *why])


def _title(found: Explanation) -> tuple[str, dict[str, str]]:
    name = "" if found.identifier is None else name_of(found.identifier)
    if found.standing == "shared":
        return f"{name} is shared: it is nobody's alone, and joins nobody", {}
    if found.standing == "device":
        return f"{name} is a browser or device", {}
    lines = {"Person": str(found.person)}
    if found.canonical is not None:
        lines["Known by"] = name_of(found.canonical)
    if not name:
        return "A person" if found.identified else "An anonymous person, known by no strong identifier", lines
    return f"{name} belongs to one person", lines


def _sections(found: Explanation, zone: ZoneInfo, backfill_us: int, command: str) -> Iterable[Section]:
    """The tables of the page; those without rows are left out."""
    if found.chain:
        yield _connections("From it to what the person is known by", found.chain, zone)
    if len(found.connections) > len(found.chain):
        yield _connections("All that joins the person's identifiers", found.connections, zone)
    if found.identifiers:
        yield _identifiers(found)
    if found.persons:
        yield _persons(found, command)
    if found.refused:
        yield _refused(found, zone)
    if found.placed_by:
        yield _rules(found, zone, backfill_us)
    yield _next(found, command)


def _connections(title: str, connections: Sequence[Connection], zone: ZoneInfo) -> Section:
    rows = [
        {
            "one": name_of(one.a),
            "other": name_of(one.b),
            "joined by": _joined_by(one, zone),
            "example": "" if one.example is None else f"{one.example.message_id} of {one.example.source}",
        }
        for one in connections[:_SHOWN]
    ]
    layout = Layout(fold=("example",))
    return Section(title, pa.Table.from_pylist(rows), _more(len(connections)), layout)


def _joined_by(one: Connection, zone: ZoneInfo) -> str:
    seen = ""
    if one.first_us is not None:
        first = local_text(one.first_us, zone)[:10]
        seen = f"{count_of(one.events, 'event')} since {first}" if one.events > 1 else f"1 event of {first}"
    if one.by == "link":
        link = "a link" if one.decision is None else told_decision(one.decision, zone)
        return f"{link}; {seen}" if seen else link
    if one.by == "alias":
        return f"an alias message; {seen}" if seen else "an alias message"
    return seen if one.trusted else f"{seen}, of site or app alone"


def _identifiers(found: Explanation) -> Section:
    rows = [
        {
            "type": one.identifier.type,
            "space": one.identifier.space or "",
            "value": one.identifier.value,
            "events": one.events,
            "whose": _STANDINGS[one.standing],
        }
        for one in found.identifiers[:_SHOWN]
    ]
    return Section(
        "Identifiers on the person's events", pa.Table.from_pylist(rows), notes=_more(len(found.identifiers))
    )


def _persons(found: Explanation, command: str) -> Section:
    rows = [
        {
            "person": one.person,
            "kind": "identified" if one.identified else "anonymous",
            "events": one.events,
            "of these logins": one.logins,
        }
        for one in found.persons
    ]
    more = found.persons_total - len(found.persons)
    notes = [f"{count_of(more, 'further person')} not shown."] if more else []
    notes.append(f"One of them: {command} customer {found.persons[0].person[:12]}")
    table = pa.Table.from_pylist(rows)
    return Section("Persons on whose events it stands", table, tuple(notes), Layout(ids=("person",)))


def _refused(found: Explanation, zone: ZoneInfo) -> Section:
    rows = [
        {"one": name_of(one.a), "other": name_of(one.b), "events": one.events, "why": refusal_words(one, zone)}
        for one in found.refused[:_SHOWN]
    ]
    return Section("Not joined, here and around it", pa.Table.from_pylist(rows), notes=_more(len(found.refused)))


def _more(n: int) -> tuple[str, ...]:
    return (f"{count_of(n - _SHOWN, 'more')} not shown; --json lists all.",) if n > _SHOWN else ()


def _rules(found: Explanation, zone: ZoneInfo, backfill_us: int) -> Section:
    rows = [
        {"rule": one.rule, "events": one.events, "they": RULES[one.rule], "the first": _first(one.example, zone)}
        for one in found.placed_by
    ]
    notes = [
        f"{one.rule}: {event_paragraph(one.example, zone, backfill_us)}"
        for one in found.placed_by
        if one.rule != "strong"
    ]
    layout = Layout(fold=("the first",))
    return Section("How the events found their person", pa.Table.from_pylist(rows), tuple(notes), layout)


def _first(told: EventExplanation, zone: ZoneInfo) -> str:
    return f"{local_text(told.event.time_us, zone)} {told.event.message_id}"


def _next(found: Explanation, command: str) -> Section:
    """What can be done."""
    steps = {"see why one event is whose it is": f"{command} identity explain --event MESSAGE"}
    if found.standing == "device":
        steps["tell the persons on a kiosk or till apart"] = "name its source in identity.shared_sources"
    else:
        steps["make two identifiers one person"] = f"{command} identity link A B --reason WHY"
        steps["keep two identifiers apart"] = f"{command} identity unlink A B --reason WHY"
    if found.standing == "shared":
        steps["have it ignored altogether"] = "name it in identity.blocked_values"
    rows = [{"to": name, "do": use} for name, use in steps.items()]
    return Section("What you can do", pa.Table.from_pylist(rows), layout=Layout(fold=("do",)))
