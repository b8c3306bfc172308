"""`percorso identity explain ID`: the chain of evidence, what was refused, and the rules that placed the events."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Annotated
from zoneinfo import ZoneInfo

import pyarrow as pa
import typer

from percorso.cli.context import command_line, words_of, workspace_of
from percorso.cli.identity_words import (
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
from percorso.cli.texts import day_text, labelled, local_text
from percorso.errors import SpecError
from percorso.language.words import Words
from percorso.services.explained import Connection, EventExplanation, Explanation
from percorso.services.identity_explain import explain_event, explain_identity
from percorso.time import zone_of

__all__ = ["explain_command"]

_SHOWN = 20
_WIDTH = 80  # of sentences that are read as a text


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
    words = words_of(ctx)
    log = ready_log(workspace, words)
    page = _Page(
        zone_of(workspace.settings.workspace.timezone),
        workspace.settings.identity.backfill_us,
        command_line(ctx),
        words,
    )
    if event:
        told = explain_event(workspace, event, source=source, personal=personal, log=log)
        write_json(told.as_json()) if as_json else typer.echo(page.event_text(told))
        return
    found = explain_identity(workspace, identifier, kind=kind, space=space, personal=personal, log=log)
    if as_json:
        write_json(found.as_json())
    else:
        write_page(page.head(found), [*page.sections(found)], Output(Format.table), words)


def _check_one(identifier: str, event: str, source: str, narrowed: str) -> None:
    if bool(identifier) == bool(event):
        raise SpecError("Ask for an identifier or for an event.", hint="Give an ID, or --event with a message id.")
    if source and not event:
        raise SpecError("--source belongs to --event.", hint="For an identifier say --space.")
    if narrowed and event:
        raise SpecError("--type and --space belong to an ID.", hint="With --event leave them out.")


def _indented(text: str) -> list[str]:
    return [f"  {line}" for line in wrapped(text, _WIDTH - 2)]


@dataclass(frozen=True, slots=True)
class _Page:
    """What is told of an identifier or an event, in the reader's zone and language."""

    zone: ZoneInfo
    backfill_us: int
    command: str  # how a further command begins
    words: Words

    def event_text(self, told: EventExplanation) -> str:
        """Why one event is whose it is."""
        rule = self.words.text("identity.rule", rule=self.words.code("rule", told.rule))
        name = event_name(told.event, self.zone, self.words)
        return "\n".join([name, "", *_indented(self._paragraph(told)), "", f"  {rule}"])

    def _paragraph(self, told: EventExplanation) -> str:
        return event_paragraph(told, self.zone, self.backfill_us, self.words)

    def head(self, found: Explanation) -> str:
        """Whose it is, and how many events there are."""
        title, lines = self._title(found)
        events = self.words.text("identity.no_events")
        if found.first_us is not None and found.last_us is not None:
            events = self.words.text(
                "identity.events_from_to",
                events=self.words.text("counted.events", n=found.events),
                first=day_text(found.first_us, self.zone, self.words),
                last=day_text(found.last_us, self.zone, self.words),
            )
        lines[self.words.text("identity.events")] = events
        why = ["", *_indented(sharing_words(found.sharing, self.words))] if found.sharing else []
        return "\n".join([title, "", *labelled(lines), *why])

    def _title(self, found: Explanation) -> tuple[str, dict[str, str]]:
        words = self.words
        name = "" if found.identifier is None else name_of(found.identifier)
        if found.standing == "shared":
            return words.text("identity.shared", name=name), {}
        if found.standing == "device":
            return words.text("identity.device", name=name), {}
        lines = {words.text("identity.person"): str(found.person)}
        if found.canonical is not None:
            lines[words.text("identity.known_by")] = name_of(found.canonical)
        if name:
            return words.text("identity.belongs", name=name), lines
        if found.identified:
            return words.text("identity.a_person"), lines
        return words.text("identity.anonymous_person"), lines

    def sections(self, found: Explanation) -> Iterable[Section]:
        """The tables of the page; those without rows are left out."""
        if found.chain:
            yield self._connections(self.words.text("identity.chain"), found.chain)
        if len(found.connections) > len(found.chain):
            yield self._connections(self.words.text("identity.all_connections"), found.connections)
        if found.identifiers:
            yield self._identifiers(found)
        if found.persons:
            yield self._persons(found)
        if found.refused:
            yield self._refused(found)
        if found.placed_by:
            yield self._rules(found)
        yield self._next(found)

    def _connections(self, title: str, connections: Sequence[Connection]) -> Section:
        rows = [
            {
                "one": name_of(one.a),
                "other": name_of(one.b),
                "joined by": self._joined_by(one),
                "example": ""
                if one.example is None
                else self.words.text("identity.example_of", message=one.example.message_id, source=one.example.source),
            }
            for one in connections[:_SHOWN]
        ]
        layout = Layout(fold=("example",))
        return Section(title, pa.Table.from_pylist(rows), self._more(len(connections)), layout)

    def _joined_by(self, one: Connection) -> str:
        words, seen = self.words, ""
        if one.first_us is not None:
            seen = words.text("identity.seen_since", n=one.events, day=day_text(one.first_us, self.zone, words))
        if one.by == "link":
            by = words.text("identity.a_link")
            if one.decision is not None:
                by = told_decision(one.decision, self.zone, words)
        elif one.by == "alias":
            by = words.text("identity.alias")
        else:
            return seen if one.trusted else words.text("identity.site_alone", seen=seen)
        return words.text("identity.joined_by", by=by, seen=seen) if seen else by

    def _identifiers(self, found: Explanation) -> Section:
        rows = [
            {
                "type": one.identifier.type,
                "space": one.identifier.space or "",
                "value": one.identifier.value,
                "events": one.events,
                "whose": self.words.name("standing", one.standing),
            }
            for one in found.identifiers[:_SHOWN]
        ]
        title, notes = self.words.text("identity.identifiers"), self._more(len(found.identifiers))
        return Section(title, pa.Table.from_pylist(rows), notes)

    def _persons(self, found: Explanation) -> Section:
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
        notes = [self.words.text("identity.more_persons", n=more)] if more else []
        command = f"{self.command} customer {found.persons[0].person[:12]}"
        notes.append(self.words.text("identity.look_at_one", command=command))
        title = self.words.text("identity.persons")
        return Section(title, pa.Table.from_pylist(rows), tuple(notes), Layout(ids=("person",)))

    def _refused(self, found: Explanation) -> Section:
        rows = [
            {
                "one": name_of(one.a),
                "other": name_of(one.b),
                "events": one.events,
                "why": refusal_words(one, self.zone, self.words),
            }
            for one in found.refused[:_SHOWN]
        ]
        title = self.words.text("identity.not_joined")
        return Section(title, pa.Table.from_pylist(rows), notes=self._more(len(found.refused)))

    def _more(self, n: int) -> tuple[str, ...]:
        return (self.words.text("identity.more_rows", n=n - _SHOWN),) if n > _SHOWN else ()

    def _rules(self, found: Explanation) -> Section:
        rows = [
            {
                "rule": self.words.code("rule", one.rule),
                "events": one.events,
                "they": self.words.name("placed", one.rule),
                "the first": self._first(one.example),
            }
            for one in found.placed_by
        ]
        notes = [
            f"{self.words.code('rule', one.rule)}: {self._paragraph(one.example)}"
            for one in found.placed_by
            if one.rule != "strong"
        ]
        layout = Layout(fold=("the first",))
        return Section(self.words.text("identity.events_placed"), pa.Table.from_pylist(rows), tuple(notes), layout)

    def _first(self, told: EventExplanation) -> str:
        return f"{local_text(told.event.time_us, self.zone, self.words)} {told.event.message_id}"

    def _next(self, found: Explanation) -> Section:
        """What can be done."""
        words, begin = self.words, f"{self.command} identity"
        steps = {words.text("identity.see_event"): f"{begin} explain --event MESSAGE"}
        if found.standing == "device":
            steps[words.text("identity.tell_apart")] = words.text("identity.tell_apart_how")
        else:
            steps[words.text("identity.join")] = f"{begin} link A B --reason WHY"
            steps[words.text("identity.keep_apart")] = f"{begin} unlink A B --reason WHY"
        if found.standing == "shared":
            steps[words.text("identity.ignore")] = words.text("identity.ignore_how")
        rows = [{"in order to": name, "use": how} for name, how in steps.items()]
        return Section(words.text("identity.next"), pa.Table.from_pylist(rows), layout=Layout(fold=("use",)))
