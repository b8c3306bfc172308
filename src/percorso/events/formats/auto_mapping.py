"""A mapping proposed for a table nobody has described: what each column seems to be, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from percorso.errors import MappingError
from percorso.events.aliases import CANONICAL_EVENTS, canonical_name
from percorso.events.conversion import TableChunk
from percorso.events.formats.auto import recognise_table
from percorso.events.formats.auto_columns import Column, Found, find_columns, look_over
from percorso.events.formats.auto_ga4_items import GA4_ITEMS_TOML, is_ga4_items
from percorso.events.formats.auto_kind import EVENT_OF_KIND, guess_kind, source_name
from percorso.events.formats.auto_orders import OrderLines, order_lines
from percorso.events.formats.auto_synonyms import is_personal, plain_name
from percorso.events.formats.auto_toml import cell_line, comment, key_line, quoted, quoted_list, sql_name
from percorso.events.mapping import COLUMN_KEYS, Mapping
from percorso.events.mapping_file import parse_mapping
from percorso.settings import Settings

__all__ = ["Proposal", "Reason", "propose_mapping"]

_WHERE = "the proposed mapping"

#: Part of an aggregated path's row -> words of its column; earlier ones are tried first for each column.
_PATH_WORDS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("value", ("value", "valore", "revenue", "ricavi")),
    ("nulls", ("null", "senza conversione", "non conver")),
    ("conversions", ("conversions", "conversioni")),
    ("path", ("path", "percorso")),
)


@dataclass(frozen=True, slots=True)
class Reason:
    """One choice: the key of the mapping, what it was set to, and why."""

    key: str
    choice: str
    why: str


@dataclass(frozen=True, slots=True)
class Proposal:
    """A mapping to look at before using it.

    Parameters
    ----------
    mapping : Mapping
        What `toml` says.
    toml : str
        The mapping file, with the reasons as comments.
    reasons : tuple of Reason
    """

    mapping: Mapping
    toml: str
    reasons: tuple[Reason, ...]


def propose_mapping(sample: TableChunk, file_name: str, settings: Settings) -> Proposal:
    """A mapping for the rows of a table (formats `table` and `paths`).

    Parameters
    ----------
    sample : TableChunk
        The first rows; more than 2,000 are not looked at.
    file_name : str
    settings : Settings

    Raises
    ------
    MappingError
        No column holds times, or nothing says what happened.
    """
    names = sample.table.column_names
    if is_ga4_items(names):
        mapping = parse_mapping(GA4_ITEMS_TOML, where=_WHERE)
        return Proposal(mapping, GA4_ITEMS_TOML, (Reason("event", "GA4 item rows", "the columns are those of GA4"),))
    if recognise_table(names) == "paths":
        return _paths(names, file_name)
    columns = look_over(sample.table)
    draft = _Draft(columns, find_columns(columns), file_name)
    toml = draft.toml()
    mapping = parse_mapping(toml, where=_WHERE, own_types=settings.identity.own_types)
    return Proposal(mapping, toml, tuple(draft.reasons))


def _paths(names: Sequence[str], file_name: str) -> Proposal:
    roles: dict[str, str] = {}
    for name in names:
        plain = plain_name(name)
        role = next((r for r, words in _PATH_WORDS if r not in roles and any(word in plain for word in words)), "")
        if role:
            roles[role] = name
    lines = [key_line("source", source_name(file_name)), key_line("kind", "web"), "", "[paths]"]
    toml = "\n".join([*lines, *(key_line(role, roles[role]) for role, _ in _PATH_WORDS if role in roles)]) + "\n"
    reasons = tuple(Reason(f"paths.{role}", name, f'the column is called "{name}"') for role, name in roles.items())
    return Proposal(parse_mapping(toml, where=_WHERE), toml, reasons)


class _Draft:
    """Puts the mapping together, part by part, and writes down the reasons."""

    def __init__(self, columns: Sequence[Column], found: dict[str, Found], file_name: str) -> None:
        self._columns = columns
        self._found = found
        self._file = file_name
        self._computed: list[str] = []
        self._used: set[str] = set()
        self.reasons: list[Reason] = []

    def toml(self) -> str:
        """The whole file."""
        kind, why = guess_kind(self._columns, self._found, self._file)
        head = key_line("source", source_name(self._file)) + "\n" + self._said("kind", kind, why)
        event = self._event(kind)
        time = self._time()
        orders = order_lines(self._found, kind)
        items = self._items(orders) if orders is not None and orders.grouped else ""
        fields = self._fields(orders)
        title = comment(f"Proposed for {self._file}. Look it over: every line says why it is there.")
        blocks = [f"{title}\n{head}"]
        if self._computed:
            sql = f"select *, {', '.join(self._computed)} from file order by file_line"
            blocks.append(f"[prepare]\nsql = {quoted(sql)}")
        blocks += [event, time, "\n".join(["[columns]", *fields]), items]
        keep = [c.name for c in self._columns if c.name not in self._used and not is_personal(c.plain)]
        blocks.append(f"[properties]\nkeep = {quoted_list(keep)}" if keep else "")
        return "\n\n".join(block for block in blocks if block) + "\n"

    def _said(self, key: str, choice: str, why: str, line: str = "") -> str:
        """A line of the file with its reason, which is also remembered."""
        self.reasons.append(Reason(key, choice, why))
        return f"{line or key_line(key.rpartition('.')[2], choice)}  {comment(why)}"

    def _take(self, field: str) -> Found | None:
        found = self._found.get(field)
        if found is not None:
            self._used.add(found.column.name)
        return found

    def _event(self, kind: str) -> str:
        found = self._take("event")
        if found is None:
            name, why = self._only_event(kind)
            return "[event]\n" + self._said("event.value", name, why)
        lines = ["[event]", self._said("event.column", found.column.name, found.why)]
        known = _canonical_values(found.column)
        if known:
            lines += ["", "[event.values]", *(key_line(raw, name) for raw, name in known.items())]
        return "\n".join(lines)

    def _only_event(self, kind: str) -> tuple[str, str]:
        """The one event that all rows are, where no column names it."""
        if kind in EVENT_OF_KIND:
            return EVENT_OF_KIND[kind], f"no column names the event, and the source is of kind {kind}"
        for field, name in (("order_id", "Order Completed"), ("value", "Order Completed"), ("url", "Page Viewed")):
            if field in self._found:
                return name, f'no column names the event, and each row has "{self._found[field].column.name}"'
        raise MappingError(
            f"{self._file} does not say what happened: no column names an event, an order, an amount or a page.",
            hint='Write a mapping with event = { value = "…" } and give it with --mapping.',
            fields={"columns": [column.name for column in self._columns]},
        )

    def _time(self) -> str:
        found = self._take("time")
        guess = found.column.time if found is not None else None
        if found is None or guess is None:
            raise MappingError(
                f"{self._file} does not say when: no column holds times.",
                hint="Write a mapping with timestamp = { column = …, format = … } and give it with --mapping.",
                fields={"columns": [column.name for column in self._columns]},
            )
        name, time_format, why = found.column.name, guess.format, found.why
        clock = self._found.get("clock")
        if clock is not None and not found.column.has_clock:
            self._used.add(clock.column.name)
            day, hour = (sql_name(each.column.name) for each in (found, clock))
            self._computed.append(f"{day} || ' ' || coalesce({hour}, '00:00') as date_and_time")
            name, time_format = "date_and_time", clock.column.after_day(guess.format)
            why = f'"{found.column.name}" holds the day and "{clock.column.name}" the hour'
        if guess.ambiguous:
            why += "; day before month, as nothing tells"
        written = f"{guess.share_ratio:.0%} of the values are written so"
        lines = ["[timestamp]", self._said("timestamp.column", name, why)]
        return "\n".join([*lines, self._said("timestamp.format", time_format, written)])

    def _items(self, orders: OrderLines) -> str:
        """[items]: several rows make up one order."""
        self._used |= set(orders.group_by)
        names = quoted_list(orders.group_by)
        why = "several rows have the same, each with a product of its own"
        lines = ["[items]", self._said("items.group_by", names, why, f"group_by = {names}")]
        for field in [name for name in self._found if name.startswith("item.")]:
            found = self._found[field]
            self._used.add(found.column.name)
            key = field.removeprefix("item.")
            lines.append(self._said(f"items.{key}", found.column.name, found.why, cell_line(key, found.column)))
        return "\n".join(lines)

    def _fields(self, orders: OrderLines | None) -> list[str]:
        lines: list[str] = []
        grouped = orders is not None and orders.grouped
        for field in [name for name in self._found if name in COLUMN_KEYS]:
            found = self._found[field]
            if field == "order_id" and orders is not None and len(orders.order_columns) > 1:
                self._used |= set(orders.order_columns)
                names = quoted_list(orders.order_columns)
                why = "numbers of receipts are short and start again: shop, till and day make them whole"
                lines.append(self._said("columns.order_id", names, why, f"order_id = {{ columns = {names} }}"))
            elif field == "value" and orders is not None and grouped and not orders.one_value_an_order:
                lines += self._sum_of_lines(orders, found.column)
            else:
                self._used.add(found.column.name)
                lines.append(
                    self._said(f"columns.{field}", found.column.name, found.why, cell_line(field, found.column))
                )
        return lines if grouped else [*lines, *self._single_product()]

    def _sum_of_lines(self, orders: OrderLines, amount: Column) -> list[str]:
        """The order's value where each row has its line's: nothing where prices and quantities give it."""
        if "item.price" in self._found:
            return []
        self._used.add(amount.name)
        partition = ", ".join(sql_name(name) for name in orders.group_by)
        self._computed.append(f"sum({amount.as_sql_number()}) over (partition by {partition}) as order_value")
        why = f'"{amount.name}" differs within an order: its sum is the order\'s value'
        return [self._said("columns.value", "order_value", why)]

    def _single_product(self) -> list[str]:
        """Product fields of rows that stand for themselves."""
        lines: list[str] = []
        chosen = [("item.product_id", "product_id"), ("item.category", "category")]
        if "value" not in self._found and "item.quantity" not in self._found:
            chosen.append(("item.price", "value"))
        for field, key in chosen:
            found = self._take(field)
            if found is not None:
                lines.append(self._said(f"columns.{key}", found.column.name, found.why, cell_line(key, found.column)))
        return lines


def _canonical_values(column: Column) -> dict[str, str]:
    """Raw event names that are known under another name."""
    known = {text: canonical_name(text, {}) for text in sorted(set(column.texts))}
    return {text: name for text, name in known.items() if name != text and name in CANONICAL_EVENTS}
