"""`percorso identity`: who is one person and why, and what people decide about it by hand."""

from __future__ import annotations

from typing import Annotated
from zoneinfo import ZoneInfo

import pyarrow as pa
import typer

from percorso.cli.context import command_line, words_of, workspace_of
from percorso.cli.identity_decided import decision_sentences
from percorso.cli.identity_explain import explain_command
from percorso.cli.identity_report import report_command
from percorso.cli.identity_words import masked_name
from percorso.cli.output import Format, JsonReportOption, Layout, Output, write_json, write_table, writing
from percorso.cli.texts import as_it_is, local_text
from percorso.language.words import Words
from percorso.services.decide import DecisionReport, decision_json, link, unlink
from percorso.services.decisions import ListedDecision, list_decisions
from percorso.time import zone_of

__all__ = ["register"]

_LAYOUT = Layout(
    formats=dict.fromkeys(("decision_id", "reason"), as_it_is),
    titles={"decided_at": "time", "decision_id": "#"},
    families=dict.fromkeys(("decision", "state"), "value"),
    fold=("reason",),
)

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
    workspace, words = workspace_of(ctx), words_of(ctx)
    listed = list_decisions(workspace)
    body = {"decisions": [{**decision_json(one.decision), "stands": one.stands} for one in listed]}
    notes = []
    if not listed:
        notes = [words.text("identity.no_decisions", command=f"{command_line(ctx)} identity link --help")]
    zone = zone_of(workspace.settings.workspace.timezone)
    people = target.format is Format.table
    rows = [_row_for_people(one, zone, words) if people else _row(one) for one in listed]
    write_table(pa.Table.from_pylist(rows, schema=_SCHEMA), target, body=body, layout=_LAYOUT, notes=notes, words=words)


_SCHEMA = pa.schema(
    [
        pa.field("decision_id", pa.int64()),
        *(pa.field(name, pa.string()) for name in ("decided_at", "decision", "a", "b", "state", "author", "reason")),
    ]
)


def _row(listed: ListedDecision) -> dict[str, object]:
    decision = listed.decision
    return {
        "decision_id": decision.id,
        "decided_at": decision_json(decision)["decided_at"],
        "decision": decision.kind,
        "a": masked_name(decision.a),
        "b": masked_name(decision.b),
        "state": "stands" if listed.stands else "undone",
        "author": decision.author,
        "reason": decision.reason,
    }


def _row_for_people(listed: ListedDecision, zone: ZoneInfo, words: Words) -> dict[str, object]:
    return {**_row(listed), "decided_at": local_text(listed.decision.decided_us, zone, words)}


def _tell(ctx: typer.Context, report: DecisionReport, zone: ZoneInfo, as_json: bool) -> None:
    if as_json:
        write_json(report.as_json())
    else:
        typer.echo("\n".join(decision_sentences(report, zone, f"{command_line(ctx)} build", words_of(ctx))))
