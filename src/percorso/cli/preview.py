"""What `percorso import --dry-run` shows: the mapping, the first events for people, what would be refused."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa
import typer

from percorso.cli.output import Format, Layout, Output, write_json, write_table
from percorso.cli.texts import as_it_is, count_text, local_text, money_of, money_text
from percorso.events.aliases import canonical_name
from percorso.events.event import IDENTIFIER_COLUMNS
from percorso.events.side_rows import SIDE_FORMATS
from percorso.identity.identifiers import IdentifierRules
from percorso.identity.masking import mask
from percorso.language.words import Words
from percorso.money import exponent
from percorso.services.import_preview import Preview
from percorso.services.workspace import Workspace
from percorso.time import zone_of

__all__ = ["short_row", "tell_previews"]

_WORD_LIMIT = 60
_LABEL = 9  # letters of the longest label in English, and one
_QUOTE = "'"  # spreadsheets write it before what looks like a number
_TABLE = Output(Format.table)
_NO_NAME = ("identify", "alias", "group")


def tell_previews(previews: Sequence[Preview], workspace: Workspace, words: Words, *, as_json: bool) -> None:
    """Print previews of files, for people or as JSON."""
    if as_json:
        body = [preview.as_dict() for preview in previews]
        write_json({"dry_run": True, "files": body, "events": sum(preview.event_count for preview in previews)})
        return
    for preview in previews:
        _tell(preview, workspace, words)


def short_row(text: str) -> str:
    """A row of a file, cut where it is long."""
    return text if len(text) <= _WORD_LIMIT else f"{text[:_WORD_LIMIT]}…"


def _tell(preview: Preview, workspace: Workspace, words: Words) -> None:
    file = words.text("imports.file_of", path=preview.path, format=preview.format, source=preview.source)
    if preview.header_line:
        file = words.text("imports.header_on", file=file, line=str(preview.header_line))
    typer.echo(file)
    if preview.lines_above:
        typer.echo(words.text("imports.above_left_out", n=len(preview.lines_above)))
        for line, text in preview.lines_above:
            typer.echo(f"  {line:>3}  {short_row(text)}")
    if preview.mapping:
        title = words.text("imports.mapping_proposed") if preview.reasons else words.text("imports.mapping")
        typer.echo(f"\n{title}\n\n{preview.mapping.rstrip()}")
    typer.echo("")
    if preview.format in SIDE_FORMATS:
        title, layout = words.text("imports.first_rows"), Layout(zone=_zone(workspace))
        write_table(_side(preview.events, words), _TABLE, title=title, layout=layout, words=words)
    else:
        _tell_events(preview.events, workspace, words)
    if preview.rejects:
        _tell_rejects(preview, words)
    would_give = words.text(
        "imports.would_give",
        rows=words.text("counted.rows", n=preview.rows),
        brought=_brought(preview, words),
        rejected=preview.rejected,
    )
    typer.echo(f"\n{would_give}")
    typer.echo(words.text("imports.nothing_written"))


def _brought(preview: Preview, words: Words) -> str:
    """What the rows become."""
    match preview.format:
        case "ad-costs":
            return words.text("imports.spend_rows", n=preview.event_count)
        case "catalogue":
            return words.text("imports.catalogue_rows", n=preview.event_count)
        case "stock":
            return words.text("imports.stock_rows", n=preview.event_count)
        case _:
            return words.text("counted.events", n=preview.event_count)


def _zone(workspace: Workspace) -> Any:
    return zone_of(workspace.settings.workspace.timezone)


def _tell_events(events: pa.Table, workspace: Workspace, words: Words) -> None:
    zone, settings = _zone(workspace), workspace.settings
    typer.echo(words.text("imports.first_events", zone=zone.key))
    rules = IdentifierRules(settings.identity, settings.workspace.country)
    times = events.column("timestamp").cast(pa.int64()).to_pylist() if events.num_rows else []
    for time_us, event in zip(times, events.to_pylist(), strict=True):
        typer.echo(f"\n  {local_text(time_us, zone, words)}  {_name(event, settings.aliases, words)}")
        facts = [*_facts(event, rules, words)]
        width = max(_LABEL, *(len(label) for label, _ in facts))
        for label, text in facts:
            typer.echo(f"    {label:<{width}} {text}")


def _name(event: Mapping[str, Any], aliases: Mapping[str, str], words: Words) -> str:
    """The event's final name, and beside it what the file calls it if that is another one."""
    sent = event["name"]
    if event["type"] in _NO_NAME:
        return f"({event['type']})"
    final = canonical_name(sent, aliases, source_kind=event["source_kind"])
    return final if final == sent else words.text("imports.in_the_file", name=final, sent=sent)


def _facts(event: Mapping[str, Any], rules: IdentifierRules, words: Words) -> Iterator[tuple[str, str]]:
    """What there is to say of an event, line by line; identifiers are masked, and those left out that name nobody."""
    given = [(kind, value) for kind in IDENTIFIER_COLUMNS if (value := event.get(kind))]
    who = [_masked(kind, value) for kind, value in given if rules.normalise(kind, value) is not None]
    yield words.text("imports.who"), ", ".join(who) or words.text("imports.nobody")
    blocked = [kind.replace("_", " ") for kind, value in given if rules.normalise(kind, value) is None]
    if blocked:
        yield words.text("imports.blocked"), words.text("imports.blocked_names", names=", ".join(blocked))
    if event.get("order_id"):
        yield words.text("imports.order"), event["order_id"]
    if event.get("value") is not None:
        yield words.text("imports.value"), _amount(event["value"], event.get("currency") or "", words)
    if event.get("items"):
        yield words.text("imports.articles"), count_text(len(event["items"]), words)
    elif event.get("product_id"):
        yield words.text("imports.article"), event["product_id"]
    if event.get("place"):
        yield words.text("imports.place"), words.code("place", event["place"])
    if event.get("notes"):
        yield words.text("imports.notes"), event["notes"].replace(",", ", ")


def _amount(minor: int, currency: str, words: Words) -> str:
    """An amount with its currency, where it has one."""
    amount = money_text(exponent(currency) if currency else 0)(minor, words)
    return money_of(amount, currency, words) if currency else amount


def _masked(kind: str, value: str) -> str:
    return f"{kind.replace('_', ' ')} {mask(kind, value.lstrip(_QUOTE))}"


def _side(rows: pa.Table, words: Words) -> pa.Table:
    """Rows that are no events, with amounts in units of their currency, without the source that all share."""
    names = [name for name in rows.column_names if name not in ("source", "row_key")]
    shown = rows.select(names).to_pylist()
    for row in shown:
        currency = row.pop("currency", None) or ""
        for name in ("cost", "price"):
            if row.get(name) is not None:
                row[name] = _amount(row[name], currency, words)
    return pa.Table.from_pylist(shown)


def _tell_rejects(preview: Preview, words: Words) -> None:
    rejects = pa.table(
        {
            "line": [reject.line for reject in preview.rejects],
            "reason": [reject.reason for reject in preview.rejects],
            "raw": [short_row(reject.raw) for reject in preview.rejects],
        }
    )
    reasons = ", ".join(
        words.text("imports.reason_count", n=count, reason=words.code("rejection", reason))
        for reason, count in preview.rejected_by_reason.items()
    )
    typer.echo("")
    layout = Layout(formats={"line": as_it_is}, fold=("raw",))
    title, notes = words.text("imports.would_be_rejected"), [words.text("imports.in_all", reasons=reasons)]
    write_table(rejects, _TABLE, title=title, layout=layout, notes=notes, words=words)
