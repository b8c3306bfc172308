"""`percorso segment`: sets of persons given by a rule, and personas."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Annotated, Any

import pyarrow as pa
import typer

from percorso.analyses.result import Result
from percorso.cli.context import command_line, words_of, workspace_of
from percorso.cli.options import AsOfOption, answer_of, as_of_text
from percorso.cli.output import (
    Format,
    JsonReportOption,
    Layout,
    Output,
    Section,
    warning_lines,
    write_json,
    write_table,
    write_told,
    writing,
)
from percorso.cli.people_table import tell_people
from percorso.cli.progress import ready_log
from percorso.cli.tables import value_name
from percorso.cli.texts import amount_text, local_text, mean_text, money_of, percent_text
from percorso.errors import SpecError
from percorso.language.said import again
from percorso.language.words import Words, capital
from percorso.services.segment import define_segment, people_of_segment, remove_segment, segment_json, show_segment
from percorso.services.segment_lookup import list_segments
from percorso.store.database import Segment
from percorso.time import zone_of

__all__ = ["register"]

_SHARES = dict.fromkeys(("share", "low", "high", "share_of_all"), percent_text)
_SIZE = Layout(
    formats={
        **_SHARES,
        "value": amount_text,
        **dict.fromkeys(
            ("average_order", "average_low", "average_high", "orders_a_year", "year_low", "year_high"), mean_text
        ),
    },
    families={"who": "value"},
    titles={"who": "", "average_order": "average", "orders_a_year": "a year"},
    secondary=("year_low year_high", "average_low average_high", "low high"),
)
_TRAITS = Layout(
    formats=_SHARES, families={"field": "head"}, titles={"share_of_all": "of all"}, secondary=("low high",)
)
_LIST = Layout(titles={"changed_at": "changed"}, fold=("rule",))

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="The name of the segment or persona.")]


def register(app: typer.Typer) -> None:
    """Add `segment` to the command line."""
    segment = typer.Typer(no_args_is_help=True, help="Sets of persons given by a rule, and personas.")
    segment.command("define")(define_command)
    segment.command("list")(list_command)
    segment.command("show")(show_command)
    segment.command("people")(people_command)
    segment.command("remove")(remove_command)
    app.add_typer(segment, name="segment")


def define_command(
    ctx: typer.Context,
    name: NameArgument,
    where: Annotated[
        str,
        typer.Option(
            metavar="RULE", help='Who is in it, such as "count(category = Chitarre) >= 3 within 90d and country = IT".'
        ),
    ],
    persona: Annotated[
        bool | None, typer.Option("--persona/--no-persona", help="A named kind of customer: with traits, on maps.")
    ] = None,
    title: Annotated[str | None, typer.Option(metavar="TEXT", help="For people.")] = None,
    description: Annotated[str | None, typer.Option(metavar="TEXT", help="For people.")] = None,
    trait: Annotated[
        list[str] | None, typer.Option(metavar="NAME=VALUE", help="What the team says of it; once for each trait.")
    ] = None,
    colour: Annotated[str | None, typer.Option(metavar="#RRGGBB", help="In which maps show it.")] = None,
    author: Annotated[str, typer.Option(metavar="NAME", help="Who says so. Default: your name here.")] = "",
    as_json: JsonReportOption = False,
) -> None:
    """Make a segment or a persona, or change it, and say how large it is.

    Example: percorso segment define guitarists --where "count(category = Chitarre) >= 3 within 90d" --persona
    """
    workspace, words = workspace_of(ctx), words_of(ctx)
    report = define_segment(
        workspace,
        name,
        where,
        persona=persona,
        title=title,
        description=description,
        traits=None if trait is None else _pairs(trait),
        colour=colour,
        author=author,
        log=ready_log(workspace, words),
    )
    if as_json:
        write_json(report.as_json())
        return
    one = report.segment
    command = f"{command_line(ctx)} segment show {_quoted(one.name)}"
    lines = [
        f"{_done(report.change, one, words)} {_size_sentence(report.answer, words)}",
        words.text("terminal.segment_who", words=again(report.answer.totals["definition"]["words"], words)),
        *warning_lines(report.answer.warnings, words),
        words.text("terminal.see_more", command=command),
    ]
    typer.echo("\n".join(lines))


def _done(change: str, segment: Segment, words: Words) -> str:
    kind = words.code("value", segment.kind)
    match change:
        case "made":
            return words.text("terminal.segment_made", kind=kind, name=segment.name)
        case "changed":
            return words.text("terminal.segment_changed", kind=kind, name=segment.name)
        case _:
            return words.text("terminal.segment_unchanged", kind=kind, name=segment.name)


def _pairs(given: Sequence[str]) -> dict[str, str]:
    pairs = {}
    for text in given:
        name, sign, value = text.partition("=")
        if not sign or not name.strip() or not value.strip():
            raise SpecError(f"'{text}' is no trait.", hint='Write --trait "plays=in a band"')
        pairs[name.strip()] = value.strip()
    return pairs


def _size_sentence(answer: Result, words: Words) -> str:
    mine, every = answer.tables["size"].to_pylist()
    share = "" if mine["share"] is None else f" ({percent_text(mine['share'], words)})"
    return words.text(
        "terminal.segment_size",
        persons=f"{words.text('counted.persons', n=mine['persons'])}{share}",
        of=every["persons"],
        orders=words.text("counted.orders", n=mine["orders"]),
        value=money_of(mine["value"], answer.totals["currency"], words),
        as_of=as_of_text(answer, words, persons=False),
    )


@writing
def list_command(ctx: typer.Context, target: Output) -> None:
    """All segments and personas."""
    workspace, words = workspace_of(ctx), words_of(ctx)
    found = list_segments(workspace)
    zone = zone_of(workspace.settings.workspace.timezone)
    people = target.format is Format.table
    rows = [_row(one, local_text(one.changed_us, zone, words) if people else "") for one in found]
    schema = pa.schema([(name, pa.string()) for name in ("name", "kind", "title", "changed_at", "rule")])
    command = f"{command_line(ctx)} segment define --help"
    notes = [] if found else [words.text("terminal.no_segment", command=command)]
    body = {"segments": [segment_json(one, timezone=zone.key) for one in found]}
    write_table(pa.Table.from_pylist(rows, schema=schema), target, body=body, layout=_LIST, notes=notes, words=words)


def _row(segment: Segment, changed: str) -> Mapping[str, Any]:
    told = segment_json(segment)
    return {**{name: told[name] for name in ("name", "kind", "title", "changed_at", "rule")}} | (
        {"changed_at": changed} if changed else {}
    )


@writing
def show_command(
    ctx: typer.Context,
    name: NameArgument,
    as_of: AsOfOption = "",
    *,
    target: Output,
) -> None:
    """The rule in words, the size, and what its persons are like beside all persons.

    Example: percorso segment show guitarists
    """
    write_told(answer_of(ctx, show_segment, name, as_of=as_of), target, _head, _sections, words_of(ctx))


def _sections(answer: Result, words: Words) -> Iterator[Section]:
    yield Section(words.text("terminal.segment_size_title"), answer.tables["size"], (), _SIZE)
    below = (
        words.text("terminal.segment_note", currency=answer.totals["currency"]),
        words.text("terminal.interval_as_of", as_of=as_of_text(answer, words)),
        *warning_lines(answer.warnings, words),
    )
    yield Section(words.text("terminal.segment_traits"), _traits(answer.tables["traits"], words), below, _TRAITS)


def _traits(table: pa.Table, words: Words) -> pa.Table:
    """The table, its values called what people call them."""
    rows = table.to_pylist()
    named = [None if row["value"] is None else value_name(row["field"], row["value"], words) for row in rows]
    return table.set_column(table.column_names.index("value"), "value", pa.array(named, pa.string()))


def _head(answer: Result, words: Words) -> str:
    """Name, words, rule, what the team says, and earlier rules."""
    told = answer.totals["definition"]
    title = f": {told['title']}" if told["title"] else ""
    lines = [f"{capital(words.code('value', told['kind']))} {told['name']}{title}"]
    lines += [told["description"]] if told["description"] else []
    lines += [words.text("terminal.segment_who", words=again(told["words"], words))]
    lines += [words.text("terminal.segment_rule", rule=told["rule"])]
    lines += [f"{name}: {value}" for name, value in told["traits"].items()]
    lines += [
        words.text("terminal.segment_until", day=_day(after["defined_at"], words), rule=old["rule"])
        for old, after in zip(told["rules"], told["rules"][1:], strict=False)
    ]
    return "\n".join(lines)


def _day(moment: str, words: Words) -> str:
    return words.numbers.date(date.fromisoformat(moment[:10]))


@writing
def people_command(
    ctx: typer.Context,
    name: NameArgument,
    as_of: AsOfOption = "",
    *,
    target: Output,
) -> None:
    """The persons of a segment.

    Example: percorso segment people guitarists --output guitarists.csv
    """
    tell_people(ctx, answer_of(ctx, people_of_segment, name, as_of=as_of), target, persons=False)


def remove_command(ctx: typer.Context, name: NameArgument, as_json: JsonReportOption = False) -> None:
    """Forget a segment and its earlier rules. Questions that are kept hold its rule."""
    workspace, words = workspace_of(ctx), words_of(ctx)
    gone = remove_segment(workspace, name)
    if as_json:
        write_json({"removed": segment_json(gone, timezone=workspace.settings.workspace.timezone)})
        return
    kind = words.code("value", gone.kind)
    typer.echo(words.text("terminal.segment_removed", kind=kind, name=gone.name, rule=gone.rule))


def _quoted(name: str) -> str:
    return f'"{name}"' if " " in name else name
