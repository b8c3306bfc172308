"""What `percorso import --dry-run` shows: the mapping, the first events for people, what would be refused."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa
import typer

from percorso.cli.output import Format, Layout, Output, write_json, write_table
from percorso.cli.texts import as_it_is, count_of, count_text, local_text, money_text
from percorso.events.aliases import canonical_name
from percorso.events.event import IDENTIFIER_COLUMNS
from percorso.events.side_rows import SIDE_FORMATS
from percorso.identity.identifiers import IdentifierRules
from percorso.identity.masking import mask
from percorso.money import exponent
from percorso.services.import_preview import Preview
from percorso.services.workspace import Workspace
from percorso.time import zone_of

__all__ = ["short_row", "tell_previews"]

_WORD_LIMIT = 60
_QUOTE = "'"  # spreadsheets write it before what looks like a number
_TABLE = Output(Format.table)
_NO_NAME = ("identify", "alias", "group")


def tell_previews(previews: Sequence[Preview], workspace: Workspace, *, as_json: bool) -> None:
    """Print previews of files, for people or as JSON."""
    if as_json:
        body = [preview.as_dict() for preview in previews]
        write_json({"dry_run": True, "files": body, "events": sum(preview.event_count for preview in previews)})
        return
    for preview in previews:
        _tell(preview, workspace)


def short_row(text: str) -> str:
    """A row of a file, cut where it is long."""
    return text if len(text) <= _WORD_LIMIT else f"{text[:_WORD_LIMIT]}…"


def _tell(preview: Preview, workspace: Workspace) -> None:
    header = f", header on line {preview.header_line}" if preview.header_line else ""
    typer.echo(f"{preview.path}: format {preview.format}, source {preview.source}{header}")
    if preview.lines_above:
        typer.echo(f"{count_of(len(preview.lines_above), 'line')} above the header left out:")
        for line, text in preview.lines_above:
            typer.echo(f"  {line:>3}  {short_row(text)}")
    if preview.mapping:
        typer.echo(f"\nMapping{' (proposed)' if preview.reasons else ''}:\n\n{preview.mapping.rstrip()}")
    typer.echo("")
    side = preview.format in SIDE_FORMATS
    if side:
        write_table(_side(preview.events), _TABLE, title="The first rows:", layout=Layout(zone=_zone(workspace)))
    else:
        _tell_events(preview.events, workspace)
    if preview.rejects:
        _tell_rejects(preview)
    brought = count_of(preview.event_count, "row" if side else "event")
    beside = f" of {SIDE_FORMATS[preview.format].name.replace('_', ' ')}" if side else ""
    typer.echo(
        f"\n{count_of(preview.rows, 'row')} would give {brought}{beside};"
        f" {count_text(preview.rejected)} would be rejected."
    )
    typer.echo("Nothing was written.")


def _zone(workspace: Workspace) -> Any:
    return zone_of(workspace.settings.workspace.timezone)


def _tell_events(events: pa.Table, workspace: Workspace) -> None:
    typer.echo(f"The first events, in the time of {_zone(workspace).key}:")
    settings = workspace.settings
    rules = IdentifierRules(settings.identity, settings.workspace.country)
    times = events.column("timestamp").cast(pa.int64()).to_pylist() if events.num_rows else []
    for time_us, event in zip(times, events.to_pylist(), strict=True):
        typer.echo(f"\n  {local_text(time_us, _zone(workspace))}  {_name(event, workspace.settings.aliases)}")
        for label, text in _facts(event, rules):
            typer.echo(f"    {label:<9} {text}")


def _name(event: Mapping[str, Any], aliases: Mapping[str, str]) -> str:
    """The event's final name, and beside it what the file calls it if that is another one."""
    sent = event["name"]
    if event["type"] in _NO_NAME:
        return f"({event['type']})"
    final = canonical_name(sent, aliases, source_kind=event["source_kind"])
    return final if final == sent else f"{final} (in the file: {sent})"


def _facts(event: Mapping[str, Any], rules: IdentifierRules) -> Iterator[tuple[str, str]]:
    """What there is to say of an event, line by line; identifiers are masked, and those left out that name nobody."""
    given = [(kind, value) for kind in IDENTIFIER_COLUMNS if (value := event.get(kind))]
    who = [_masked(kind, value) for kind, value in given if rules.normalise(kind, value) is not None]
    yield "who", ", ".join(who) or "nobody we could identify"
    blocked = [kind.replace("_", " ") for kind, value in given if rules.normalise(kind, value) is None]
    if blocked:
        yield "blocked", f"{', '.join(blocked)} (stands for nobody)"
    if event.get("order_id"):
        yield "order", event["order_id"]
    value, currency = event.get("value"), event.get("currency") or ""
    if value is not None:
        yield "value", f"{money_text(exponent(currency) if currency else 0)(value)} {currency}".rstrip()
    if event.get("items"):
        yield "articles", count_text(len(event["items"]))
    elif event.get("product_id"):
        yield "article", event["product_id"]
    if event.get("place"):
        yield "place", event["place"]
    if event.get("notes"):
        yield "notes", event["notes"].replace(",", ", ")


def _masked(kind: str, value: str) -> str:
    return f"{kind.replace('_', ' ')} {mask(kind, value.lstrip(_QUOTE))}"


def _side(rows: pa.Table) -> pa.Table:
    """Rows that are no events, with amounts in units of their currency, without the source that all share."""
    names = [name for name in rows.column_names if name not in ("source", "row_key")]
    shown = rows.select(names).to_pylist()
    for row in shown:
        currency = row.pop("currency", None) or ""
        for name in ("cost", "price"):
            if row.get(name) is not None:
                row[name] = f"{money_text(exponent(currency) if currency else 0)(row[name])} {currency}".rstrip()
    return pa.Table.from_pylist(shown)


def _tell_rejects(preview: Preview) -> None:
    rejects = pa.table(
        {
            "line": [reject.line for reject in preview.rejects],
            "reason": [reject.reason for reject in preview.rejects],
            "raw": [short_row(reject.raw) for reject in preview.rejects],
        }
    )
    reasons = ", ".join(f"{count_text(count)} {reason}" for reason, count in preview.rejected_by_reason.items())
    typer.echo("")
    layout = Layout(formats={"line": as_it_is}, fold=("raw",))
    write_table(rejects, _TABLE, title="Rows that would be rejected:", layout=layout, notes=[f"In all: {reasons}."])
