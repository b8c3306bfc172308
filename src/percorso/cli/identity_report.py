"""`percorso identity report`: how identity went over the whole workspace."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import typer

from percorso.cli.context import command_line, workspace_of
from percorso.cli.identity_words import RULES, name_of
from percorso.cli.output import Format, JsonReportOption, Layout, Output, Section, write_json, write_page
from percorso.cli.progress import ready_log
from percorso.cli.texts import count_of, count_text, local_text, percent_text
from percorso.identity.decisions import MaskedIdentifier
from percorso.services.identity_report import report_identity
from percorso.services.identity_reported import IdentityReport
from percorso.services.identity_state import ShownIdentifier
from percorso.time import zone_of

__all__ = ["report_command"]

_SHOWN = 10
_EFFECTS = {
    "applied": "holds",
    "not_seen": "waits: an end is on no event",
    "shared": "no effect: an end is shared",
    "refused": "no effect: others are in its way",
}
#: Columns of the sources' table: title -> rules.
_WAYS = {
    "strong": ("strong",),
    "by login": ("login_before", "login_after", "signed_out_same"),
    "anonymous": ("anonymous", "signed_out", "shared_session"),
    "reference": ("reference",),
    "unidentified": ("unidentified",),
}
_SHARES = Layout(formats=dict.fromkeys(("of all", *_WAYS), percent_text))


def report_command(
    ctx: typer.Context,
    personal: Annotated[bool, typer.Option("--personal", help="Show identifiers as they are.")] = False,
    as_json: JsonReportOption = False,
) -> None:
    """How identity went: sizes of persons, shared and dropped identifiers, limits, devices, events by rule.

    Identifiers are masked unless --personal is given.
    """
    workspace = workspace_of(ctx)
    report = report_identity(workspace, personal=personal, log=ready_log(workspace))
    if as_json:
        write_json(report.as_json())
        return
    zone = zone_of(workspace.settings.workspace.timezone)
    write_page(_head(report), [*_sections(report, zone, command_line(ctx))], Output(Format.table))


def _head(report: IdentityReport) -> str:
    def events(count: int) -> str:
        return f"{count_of(count, 'event')} ({_share(count, report.events)})"

    lines = {
        "Identified": f"{count_of(report.identified, 'person')}, {events(report.identified_events)}",
        "Anonymous": f"{count_of(report.anonymous, 'person')}, {events(report.anonymous_events)}",
        "Unidentified": f"nobody's: {events(report.unidentified_events)}",
    }
    return "\n".join(["Who is one person", "", *(f"  {name:<13} {text}" for name, text in lines.items())])


def _sections(report: IdentityReport, zone: ZoneInfo, command: str) -> Iterable[Section]:
    """The tables of the page; those without rows are left out."""
    yield from _of_persons(report, command)
    yield _types(report)
    yield from _hubs(report, command)
    yield from _dropped(report)
    yield from _limits(report, command)
    yield from _decisions(report)
    yield from _reused(report, zone, command)
    yield _rules(report)
    yield _sources(report)
    yield from _devices(report)


def _of_persons(report: IdentityReport, command: str) -> Iterable[Section]:
    rows = [
        {
            "identifiers": one.identifiers,
            "persons": one.persons,
            "of all": _part(one.persons, report.identified),
            "events": one.events,
        }
        for one in report.sizes
    ]
    title = "Identified persons by number of strong identifiers"
    yield Section(title, pa.Table.from_pylist(rows), layout=_SHARES)
    if report.largest and report.largest[0].identifiers > 1:
        largest = [
            {
                "person": one.person,
                "known by": name_of(one.canonical),
                "identifiers": one.identifiers,
                "events": one.events,
            }
            for one in report.largest
            if one.identifiers > 1
        ]
        note = f"Why they are one: {command} identity explain {report.largest[0].person[:12]}"
        yield Section("Most identifiers", pa.Table.from_pylist(largest), (note,), Layout(ids=("person",)))


def _types(report: IdentityReport) -> Section:
    rows = [
        {
            "type": one.type,
            "seen": one.seen,
            "in persons": one.in_persons,
            "shared": one.seen - one.in_persons,
            "too many": one.shared["too_many_better"] + one.shared["too_many_worse"],
            "contradicted": one.shared["contradictions"],
            "too large": one.shared["too_large"],
        }
        for one in report.types
    ]
    notes = (
        "Shared ones are nobody's alone and join nobody. Too many: seen beside too many others, as a till's account or "
        "an agent's address. Contradicted: several persons use it, as a family its telephone. Too large: it held a "
        "huge group together.",
    )
    return Section("Identifiers by type", pa.Table.from_pylist(rows), notes)


def _hubs(report: IdentityReport, command: str) -> Iterable[Section]:
    if not report.hubs:
        return
    rows = [
        {
            "identifier": name_of(one.identifier),
            "events": one.events,
            "seen beside": f"{count_text(one.partners)} of type {one.type}",
            "may be": one.most,
        }
        for one in report.hubs[:_SHOWN]
    ]
    notes = [
        "If it is a till's account or an agent's address, name it in identity.blocked_values: then it is no identifier "
        "at all, and no event goes to whoever was last on it.",
        *_more(report.hubs_total),
    ]
    yield Section("Beside too many others to be one person's", pa.Table.from_pylist(rows), tuple(notes))


def _dropped(report: IdentityReport) -> Iterable[Section]:
    rows = [
        {
            "type": one.type,
            "why": "blocked" if blocked else "malformed",
            "values": one.blocked if blocked else one.malformed,
            "events": one.blocked_events if blocked else one.malformed_events,
            "such as": ", ".join(value.value or "(empty)" for value in one.examples if value.blocked is blocked),
        }
        for one in report.dropped
        for blocked in (True, False)
        if (one.blocked if blocked else one.malformed)
    ]
    if rows:
        notes = ("Blocked values point at nobody (guest, null, 0000); malformed ones are no address or number.",)
        yield Section("Values that were dropped from their events", pa.Table.from_pylist(rows), notes)


def _limits(report: IdentityReport, command: str) -> Iterable[Section]:
    if not report.limits:
        return
    rows = [
        {
            "limit": "cannot be told" if one.type is None else f"{one.type}: {one.limit}",
            "not joined": one.refused,
            "events": one.events,
            "made shared": one.made_shared,
            "such as": "; ".join(f"{name_of(pair.a)} and {name_of(pair.b)}" for pair in one.examples[:1]),
        }
        for one in report.limits
    ]
    notes = (
        "Joining such two would have given one person more of the type than the limit. It may be one customer with two "
        f"accounts, or two people: see {command} identity explain, then link or unlink.",
    )
    yield Section("Limits that kept identifiers apart", pa.Table.from_pylist(rows), notes)


def _decisions(report: IdentityReport) -> Iterable[Section]:
    if not report.decisions:
        return
    rows = [
        {
            "#": str(one.decision.id),
            "decision": one.decision.kind,
            "a": _masked(one.decision.a),
            "b": _masked(one.decision.b),
            "what it does": _EFFECTS[one.effect],
        }
        for one in report.decisions
    ]
    yield Section("Decisions by hand that stand", pa.Table.from_pylist(rows))


def _reused(report: IdentityReport, zone: ZoneInfo, command: str) -> Iterable[Section]:
    if not report.reused:
        return
    rows = [
        {
            "identifier": name_of(one.identifier),
            "last seen": local_text(one.last_us, zone)[:10],
            "with": name_of(one.before),
            "again": local_text(one.next_us, zone)[:10],
            "with ": name_of(one.after),
        }
        for one in report.reused[:_SHOWN]
    ]
    notes = [
        "After more than a year without an event everything beside it is another. If it was given to somebody else: "
        f"{command} identity unlink IDENTIFIER NEWER --reason WHY",
        *_more(report.reused_total),
    ]
    yield Section("Perhaps given to somebody else", pa.Table.from_pylist(rows), tuple(notes))


def _rules(report: IdentityReport) -> Section:
    rows = [
        {"rule": rule, "events": events, "of all": _part(events, report.events), "they": RULES[rule]}
        for rule, events in sorted(report.placed_by.items(), key=lambda item: -item[1])
        if events
    ]
    return Section("How events found their person", pa.Table.from_pylist(rows), layout=_SHARES)


def _sources(report: IdentityReport) -> Section:
    rows: list[dict[str, Any]] = []
    for one in report.sources:
        shares = {title: sum(one.by_rule[rule] for rule in rules) for title, rules in _WAYS.items()}
        rows.append({"source": one.source, "events": one.events, **_shares(shares, one.events)})
    return Section("The same by source", pa.Table.from_pylist(rows), layout=_SHARES)


def _shares(parts: Mapping[str, int], whole: int) -> dict[str, float]:
    return {name: _part(part, whole) for name, part in parts.items()}


def _devices(report: IdentityReport) -> Iterable[Section]:
    rows = [
        {
            "type": one.type,
            "seen": one.seen,
            "with a login": one.with_login,
            "never": one.seen - one.with_login,
            "over 3 persons": one.suspected,
        }
        for one in report.devices
    ]
    yield Section("Browsers and devices", pa.Table.from_pylist(rows))
    if report.suspected:
        suspected = [
            {
                "identifier": name_of(one.identifier),
                "persons": one.persons,
                "logins": one.logins,
                "mostly in": one.source,
            }
            for one in report.suspected[:_SHOWN]
        ]
        notes = [
            "On a kiosk or a till visits without login belong to whoever was last. Give such devices a source of their "
            "own and name it in identity.shared_sources.",
            *_more(sum(one.suspected for one in report.devices)),
        ]
        yield Section("Devices that more than 3 persons signed in on", pa.Table.from_pylist(suspected), tuple(notes))


def _more(total: int) -> list[str]:
    return [f"{count_text(total)} in all; --json lists more."] if total > _SHOWN else []


def _part(part: int, whole: int) -> float:
    return part / whole if whole else math.nan


def _share(part: int, whole: int) -> str:
    return percent_text(part / whole) if whole else "–"


def _masked(one: MaskedIdentifier) -> str:
    return name_of(ShownIdentifier(one.kind, one.space or None, one.shown))
