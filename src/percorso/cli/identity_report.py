"""`percorso identity report`: how identity went over the whole workspace."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import typer

from percorso.cli.context import command_line, words_of, workspace_of
from percorso.cli.identity_words import masked_name, name_of
from percorso.cli.output import Format, JsonReportOption, Layout, Output, Section, write_json, write_page
from percorso.cli.progress import ready_log
from percorso.cli.texts import day_text, labelled, percent_text
from percorso.language.words import Words
from percorso.services.identity_report import report_identity
from percorso.services.identity_reported import IdentityReport
from percorso.time import zone_of

__all__ = ["report_command"]

_SHOWN = 10
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
    workspace, words = workspace_of(ctx), words_of(ctx)
    report = report_identity(workspace, personal=personal, log=ready_log(workspace, words))
    if as_json:
        write_json(report.as_json())
        return
    page = _Page(report, zone_of(workspace.settings.workspace.timezone), command_line(ctx), words)
    write_page(page.head(), [*page.sections()], Output(Format.table), words)


@dataclass(frozen=True, slots=True)
class _Page:
    """The report as people read it, in their zone and language."""

    report: IdentityReport
    zone: ZoneInfo
    command: str  # how a further command begins
    words: Words

    def head(self) -> str:
        """Whose events are, in three lines."""
        report, words = self.report, self.words
        identified = words.text("counted.persons", n=report.identified)
        anonymous = words.text("counted.persons", n=report.anonymous)
        lines = {
            words.text("identity.identified"): words.text(
                "identity.of_persons", persons=identified, **self._of_events(report.identified_events)
            ),
            words.text("identity.anonymous"): words.text(
                "identity.of_persons", persons=anonymous, **self._of_events(report.anonymous_events)
            ),
            words.text("identity.unidentified"): words.text(
                "identity.of_nobody", **self._of_events(report.unidentified_events)
            ),
        }
        return "\n".join([words.text("identity.head"), "", *labelled(lines)])

    def _of_events(self, count: int) -> dict[str, str]:
        """So many events, and what share of all they are."""
        share = percent_text(count / self.report.events, self.words) if self.report.events else "–"
        return {"events": self.words.text("counted.events", n=count), "share": share}

    def sections(self) -> Iterable[Section]:
        """The tables of the page; those without rows are left out."""
        yield from self._of_persons()
        yield self._types()
        yield from self._hubs()
        yield from self._dropped()
        yield from self._limits()
        yield from self._decisions()
        yield from self._reused()
        yield self._rules()
        yield self._sources()
        yield from self._devices()

    def _of_persons(self) -> Iterable[Section]:
        report = self.report
        rows = [
            {
                "identifiers": self.words.code("value", one.identifiers),
                "persons": one.persons,
                "of all": _part(one.persons, report.identified),
                "events": one.events,
            }
            for one in report.sizes
        ]
        yield Section(self.words.text("identity.sizes"), pa.Table.from_pylist(rows), layout=_SHARES)
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
        if largest:
            command = f"{self.command} identity explain {report.largest[0].person[:12]}"
            note = self.words.text("identity.why_one", command=command)
            title = self.words.text("identity.most")
            yield Section(title, pa.Table.from_pylist(largest), (note,), Layout(ids=("person",)))

    def _types(self) -> Section:
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
            for one in self.report.types
        ]
        notes = (self.words.text("identity.types_note"),)
        return Section(self.words.text("identity.types"), pa.Table.from_pylist(rows), notes)

    def _hubs(self) -> Iterable[Section]:
        rows = [
            {
                "identifier": name_of(one.identifier),
                "events": one.events,
                "seen beside": self.words.text("identity.of_type", n=one.partners, type=one.type),
                "may be": one.most,
            }
            for one in self.report.hubs[:_SHOWN]
        ]
        if rows:
            notes = (self.words.text("identity.hubs_note"), *self._more(self.report.hubs_total))
            yield Section(self.words.text("identity.hubs"), pa.Table.from_pylist(rows), notes)

    def _dropped(self) -> Iterable[Section]:
        empty = self.words.code("value", "(empty)")
        rows = [
            {
                "type": one.type,
                "why": self.words.code("value", "blocked" if blocked else "malformed"),
                "values": one.blocked if blocked else one.malformed,
                "events": one.blocked_events if blocked else one.malformed_events,
                "such as": ", ".join(value.value or empty for value in one.examples if value.blocked is blocked),
            }
            for one in self.report.dropped
            for blocked in (True, False)
            if (one.blocked if blocked else one.malformed)
        ]
        if rows:
            notes = (self.words.text("identity.dropped_note"),)
            yield Section(self.words.text("identity.dropped"), pa.Table.from_pylist(rows), notes)

    def _limits(self) -> Iterable[Section]:
        words = self.words
        rows = [
            {
                "limit": words.code("value", "cannot be told") if one.type is None else f"{one.type}: {one.limit}",
                "not joined": one.refused,
                "events": one.events,
                "made shared": one.made_shared,
                "such as": "; ".join(
                    words.text("identity.and", left=name_of(pair.a), right=name_of(pair.b)) for pair in one.examples[:1]
                ),
            }
            for one in self.report.limits
        ]
        if rows:
            notes = (words.text("identity.limits_note", command=f"{self.command} identity explain"),)
            yield Section(words.text("identity.limits"), pa.Table.from_pylist(rows), notes)

    def _decisions(self) -> Iterable[Section]:
        rows = [
            {
                "#": str(one.decision.id),
                "decision": self.words.code("value", one.decision.kind),
                "a": masked_name(one.decision.a),
                "b": masked_name(one.decision.b),
                "what it does": self.words.name("effect", one.effect),
            }
            for one in self.report.decisions
        ]
        if rows:
            yield Section(self.words.text("identity.decisions"), pa.Table.from_pylist(rows))

    def _reused(self) -> Iterable[Section]:
        rows = [
            {
                "identifier": name_of(one.identifier),
                "last seen": day_text(one.last_us, self.zone, self.words),
                "before": name_of(one.before),
                "again": day_text(one.next_us, self.zone, self.words),
                "after": name_of(one.after),
            }
            for one in self.report.reused[:_SHOWN]
        ]
        if rows:
            command = f"{self.command} identity unlink IDENTIFIER NEWER --reason WHY"
            notes = (
                self.words.text("identity.reused_note", command=command),
                *self._more(self.report.reused_total),
            )
            layout = Layout(titles={"before": "with", "after": "with"})
            yield Section(self.words.text("identity.reused"), pa.Table.from_pylist(rows), notes, layout)

    def _rules(self) -> Section:
        rows = [
            {
                "rule": self.words.code("rule", rule),
                "events": events,
                "of all": _part(events, self.report.events),
                "they": self.words.name("placed", rule),
            }
            for rule, events in sorted(self.report.placed_by.items(), key=lambda item: -item[1])
            if events
        ]
        return Section(self.words.text("identity.placed"), pa.Table.from_pylist(rows), layout=_SHARES)

    def _sources(self) -> Section:
        rows: list[dict[str, Any]] = []
        for one in self.report.sources:
            shares = {title: sum(one.by_rule[rule] for rule in rules) for title, rules in _WAYS.items()}
            rows.append({"source": one.source, "events": one.events, **_shares(shares, one.events)})
        return Section(self.words.text("identity.sources"), pa.Table.from_pylist(rows), layout=_SHARES)

    def _devices(self) -> Iterable[Section]:
        rows = [
            {
                "type": one.type,
                "seen": one.seen,
                "with a login": one.with_login,
                "never": one.seen - one.with_login,
                "over 3 persons": one.suspected,
            }
            for one in self.report.devices
        ]
        yield Section(self.words.text("identity.devices"), pa.Table.from_pylist(rows))
        suspected = [
            {
                "identifier": name_of(one.identifier),
                "persons": one.persons,
                "logins": one.logins,
                "mostly in": one.source,
            }
            for one in self.report.suspected[:_SHOWN]
        ]
        if suspected:
            total = sum(one.suspected for one in self.report.devices)
            notes = (self.words.text("identity.devices_note"), *self._more(total))
            yield Section(self.words.text("identity.suspected"), pa.Table.from_pylist(suspected), notes)

    def _more(self, total: int) -> list[str]:
        return [self.words.text("identity.in_all", total=total)] if total > _SHOWN else []


def _shares(parts: Mapping[str, int], whole: int) -> dict[str, float]:
    return {name: _part(part, whole) for name, part in parts.items()}


def _part(part: int, whole: int) -> float:
    return part / whole if whole else math.nan
