"""`percorso identity`: who is one person and why, and what people decide about it by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated
from zoneinfo import ZoneInfo

import pyarrow as pa
import typer

from percorso.cli.context import command_line, workspace_of
from percorso.cli.identity_explain import explain_command
from percorso.cli.identity_report import report_command
from percorso.cli.output import Format, JsonReportOption, Layout, Output, write_json, write_table, writing
from percorso.cli.texts import count_of, local_text
from percorso.identity.decisions import Decision, MaskedIdentifier
from percorso.services.decide import DecisionReport, decision_json, link, unlink
from percorso.services.decisions import ListedDecision, list_decisions
from percorso.services.identity_next_build import PersonSize
from percorso.time import zone_of

__all__ = ["register"]

_SHORT_ID = 12
_LAYOUT = Layout(titles={"decided_at": "time", "decision_id": "#"}, fold=("reason",), plain=True)

FirstArgument = Annotated[
    str, typer.Argument(metavar="A", help="A user id, loyalty card, e-mail, phone or card token; or TYPE:SPACE:VALUE.")
]
SecondArgument = Annotated[str, typer.Argument(metavar="B", help="Another one.")]
ReasonOption = Annotated[
    str, typer.Option(metavar="TEXT", help="Why; it is kept, so name no e-mail address, number or card in it.")
]
AuthorOption = Annotated[str, typer.Option(metavar="NAME", help="Who says so. Default: your name on this machine.")]


def register(app: typer.Typer) -> None:
    """Add `identity` to the command line."""
    identity = typer.Typer(no_args_is_help=True, help="Who is one person: see why, and decide by hand.")
    identity.command("link")(link_command)
    identity.command("unlink")(unlink_command)
    identity.command("decisions")(decisions_command)
    identity.command("explain")(explain_command)
    identity.command("report")(report_command)
    app.add_typer(identity, name="identity")


def link_command(
    ctx: typer.Context,
    a: FirstArgument,
    b: SecondArgument,
    reason: ReasonOption,
    author: AuthorOption = "",
    as_json: JsonReportOption = False,
) -> None:
    """Say that two identifiers are one person, or take back an unlink of the two.

    Example: percorso identity link anna@posta.example user_id:shop:1042 --reason "asked her at the till"
    """
    workspace = workspace_of(ctx)
    report = link(workspace, a, b, reason=reason, author=author)
    _tell(ctx, report, zone_of(workspace.settings.workspace.timezone), as_json)


def unlink_command(
    ctx: typer.Context,
    a: FirstArgument,
    b: SecondArgument,
    reason: ReasonOption,
    author: AuthorOption = "",
    as_json: JsonReportOption = False,
) -> None:
    """Say that two identifiers are not one person, or take back a link of the two.

    Example: percorso identity unlink user_id:shop:1042 user_id:shop:1043 --reason "mother and daughter"
    """
    workspace = workspace_of(ctx)
    report = unlink(workspace, a, b, reason=reason, author=author)
    _tell(ctx, report, zone_of(workspace.settings.workspace.timezone), as_json)


@writing
def decisions_command(ctx: typer.Context, target: Output) -> None:
    """List what was decided by hand, in the order in which it was, and what of it stands."""
    workspace = workspace_of(ctx)
    listed = list_decisions(workspace)
    zone = zone_of(workspace.settings.workspace.timezone)
    body = {"decisions": [{**decision_json(one.decision), "stands": one.stands} for one in listed]}
    notes = [] if listed else [f"Nobody has decided anything yet: {command_line(ctx)} identity link --help"]
    people = target.format is Format.table
    table = pa.Table.from_pylist([_row(one, zone if people else None) for one in listed], schema=_SCHEMA)
    write_table(table, target, body=body, layout=replace(_LAYOUT, zone=zone), notes=notes)


_SCHEMA = pa.schema(
    [
        pa.field("decision_id", pa.int64()),
        *(pa.field(name, pa.string()) for name in ("decided_at", "decision", "a", "b", "state", "author", "reason")),
    ]
)


def _row(listed: ListedDecision, zone: ZoneInfo | None) -> dict[str, object]:
    decision = listed.decision
    at = decision_json(decision)["decided_at"] if zone is None else local_text(decision.decided_us, zone)
    return {
        "decision_id": decision.id,
        "decided_at": at,
        "decision": decision.kind,
        "a": _name(decision.a),
        "b": _name(decision.b),
        "state": "stands" if listed.stands else "undone",
        "author": decision.author,
        "reason": decision.reason,
    }


def _tell(ctx: typer.Context, report: DecisionReport, zone: ZoneInfo, as_json: bool) -> None:
    if as_json:
        write_json(report.as_json())
    else:
        typer.echo("\n".join(_sentences(report, zone, f"{command_line(ctx)} build")))


def _sentences(report: DecisionReport, zone: ZoneInfo, build: str) -> list[str]:
    """What the decision did, in words."""
    pair = f"{_name(report.a)} and {_name(report.b)}"
    applies = [*_next_build(report), f"The next build applies it, and so does any question: {build}"]
    if report.outcome == "linked":
        return [f"Linked: {pair} will be one person.", *applies]
    if report.outcome == "forbidden":
        return [f"Forbidden: {pair} will not be one person.", *applies]
    assert report.before is not None
    before = _told(report.before, zone)
    if report.outcome == "unchanged":
        return [f"Already {'linked' if report.kind == 'link' else 'forbidden'}, nothing changed: {before}."]
    told = [f"Cancelled the {before}; the pair is undecided again: {pair}."]
    if report.kind == "link":
        told.append("Whether they are one person is left to the events. To force it, link them once more.")
    else:
        told.append("Whether they are one person is left to the events. To forbid it, unlink them once more.")
    if report.still_joined_by:
        links = "; ".join(f"{_told(one, zone)}, of {_name(one.a)} and {_name(one.b)}" for one in report.still_joined_by)
        told.append(f"Other links join them all the same: {links}.")
    return [*told, *applies]


def _next_build(report: DecisionReport) -> list[str]:
    """What will become of the persons of the two, in words."""
    expected = report.next_build
    if expected is None:
        return ["The last build cannot tell yet what it will change."]
    if expected.effect == "shared":
        return ["Nothing changes while one of them is shared by several persons: percorso identity explain says why."]
    if expected.effect == "none":
        together = len(expected.then) == 1
        stay = {"linked": "one", "forbidden": "apart"}.get(report.state)
        rest = "all the same" if stay is None or (stay == "one") != together else f"already, and stay {stay}"
        return [f"They are {'one person' if together else 'two persons'} {rest}: {_sizes(expected.then)}."]
    one, other = ("one person", "two") if expected.effect == "joins" else ("two persons", "one")
    return [
        f"As of the last build it makes {one} of {other}: {_sizes(expected.now)} → {_sizes(expected.then)}.",
        f"{count_of(expected.events_moved, 'event')} with an identifier and what browsers and devices did around them "
        "change hands.",
    ]


def _sizes(persons: tuple[PersonSize, ...]) -> str:
    return " and ".join(
        f"{one.person[:_SHORT_ID]} ({count_of(one.identifiers, 'identifier')}, {count_of(one.events, 'event')})"
        for one in persons
    )


def _told(decision: Decision, zone: ZoneInfo) -> str:
    return f"{decision.kind} of {local_text(decision.decided_us, zone)} by {decision.author} ({decision.reason})"


def _name(identifier: MaskedIdentifier) -> str:
    where = f" in {identifier.space}" if identifier.space else ""
    return f"{identifier.kind} {identifier.shown}{where}"
