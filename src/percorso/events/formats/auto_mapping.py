"""A mapping proposed for a table nobody has described: what each column seems to be, and why."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePath

from percorso.errors import MappingError
from percorso.events.conversion import TableChunk
from percorso.events.csv_reader import CsvHeader
from percorso.events.formats.auto import recognise_table
from percorso.events.formats.auto_columns import Column, Found, find_columns, look_over
from percorso.events.formats.auto_events import event_column, event_names, examples, unused_states
from percorso.events.formats.auto_ga4_items import GA4_ITEMS_TOML, is_ga4_items
from percorso.events.formats.auto_kind import EVENT_OF_KIND, guess_kind, source_name
from percorso.events.formats.auto_orders import OrderLines, order_lines
from percorso.events.formats.auto_synonyms import is_personal, plain_name
from percorso.events.formats.auto_toml import AMOUNTS, cell_line, comment, key_line, quoted, quoted_list, sql_name
from percorso.events.mapping import COLUMN_KEYS, Mapping
from percorso.events.mapping_file import parse_mapping
from percorso.events.total_rows import without_totals
from percorso.language.said import said
from percorso.settings import Settings

__all__ = ["Proposal", "Reason", "propose_mapping"]

_WHERE = "the proposed mapping"
#: Fields that give an order its value.
_WORTH = frozenset({"value", "item.price"})

#: Countries that write amounts with a decimal comma.
_COMMA_COUNTRIES = frozenset(
    {
        "AT",
        "BE",
        "BG",
        "BR",
        "CZ",
        "DE",
        "DK",
        "ES",
        "FI",
        "FR",
        "GR",
        "HR",
        "HU",
        "IT",
        "LU",
        "NL",
        "NO",
        "PL",
        "PT",
        "RO",
        "SE",
        "SI",
        "SK",
        "SM",
        "VA",
        "TR",
    }
)

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


def propose_mapping(
    sample: TableChunk, file_name: str, settings: Settings, *, header: CsvHeader | None = None
) -> Proposal:
    """A mapping for the rows of a table (formats `table` and `paths`).

    Parameters
    ----------
    sample : TableChunk
        The first rows; more than 2,000 are not looked at.
    file_name : str
    settings : Settings
    header : CsvHeader, optional
        Of a CSV file; one below titles is named in the mapping.

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
        return _paths(names, file_name, header)
    columns = look_over(without_totals(sample.table), decimal_comma=_decimal_comma(file_name, settings))
    draft = _Draft(columns, find_columns(columns), file_name, header)
    toml = draft.toml()
    mapping = parse_mapping(toml, where=_WHERE, own_types=settings.identity.own_types)
    return Proposal(mapping, toml, tuple(draft.reasons))


def _decimal_comma(file_name: str, settings: Settings) -> bool:
    """Whether amounts of this file rather have a comma; numbers of JSON always have a point."""
    place = settings.workspace
    comma = place.country in _COMMA_COUNTRIES or place.language == "it"
    return comma and not {".json", ".ndjson", ".jsonl"} & set(PurePath(file_name.lower()).suffixes)


def _paths(names: Sequence[str], file_name: str, header: CsvHeader | None) -> Proposal:
    roles: dict[str, str] = {}
    for name in names:
        plain = plain_name(name)
        role = next((r for r, words in _PATH_WORDS if r not in roles and any(word in plain for word in words)), "")
        if role:
            roles[role] = name
    lines = [key_line("source", source_name(file_name)), key_line("kind", "web"), ""]
    reasons = _header_reasons(header)
    lines += [_header_block(reason) + "\n" for reason in reasons]
    lines.append("[paths]")
    toml = "\n".join([*lines, *(key_line(role, roles[role]) for role, _ in _PATH_WORDS if role in roles)]) + "\n"
    reasons += [Reason(f"paths.{role}", name, f'the column is called "{name}"') for role, name in roles.items()]
    return Proposal(parse_mapping(toml, where=_WHERE), toml, tuple(reasons))


def _header_reasons(header: CsvHeader | None) -> list[Reason]:
    """Where the header is, if anything stands above it."""
    if header is None or not header.above:
        return []
    count = len(header.above)
    above = "the line above is" if count == 1 else f"the {count} lines above are"
    return [Reason("file.header_line", str(header.line), f"here the columns are named; {above} left out")]


def _header_block(reason: Reason) -> str:
    return f"[file]\nheader_line = {reason.choice}  {comment(reason.why)}"


class _Draft:
    """Puts the mapping together, part by part, and writes down the reasons."""

    def __init__(
        self, columns: Sequence[Column], found: dict[str, Found], file_name: str, header: CsvHeader | None
    ) -> None:
        self._columns = columns
        self._found = found
        self._file = file_name
        self._header = header
        self._event_column: Found | None = None
        self._computed: list[str] = []
        self._used: set[str] = set()
        self.reasons: list[Reason] = []

    def toml(self) -> str:
        """The whole file."""
        kind, why = guess_kind(self._columns, self._found, self._file)
        named = "the file's name without dates and the like; files of one till or shop need one source"
        head = self._said("source", source_name(self._file), named) + "\n" + self._said("kind", kind, why)
        titles = _header_reasons(self._header)
        self.reasons += titles
        event = self._event(kind)
        time = self._time()
        orders = self._orders(kind)
        items = self._items(orders) if orders is not None and orders.grouped else ""
        fields = self._fields(orders)
        title = comment(f"Proposed for {self._file}. Look it over: every line says why it is there.")
        blocks = [f"{title}\n{head}", *map(_header_block, titles)]
        if self._computed:
            sql = f"select *, {', '.join(self._computed)} from file order by file_line"
            blocks.append(f"[prepare]\nsql = {quoted(sql)}")
        blocks += [event, time, "\n".join(["[columns]", *fields]), items]
        rest = [c for c in self._columns if c.name not in self._used]
        keep = [c.name for c in rest if not is_personal(c.plain) and c.addresses_ratio < 0.5]
        blocks.append(f"[properties]\nkeep = {quoted_list(keep)}" if keep else "")
        return "\n\n".join(block for block in blocks if block) + "\n"

    def _said(self, key: str, choice: str, why: str, line: str = "") -> str:
        """A line of the file with its reason, which is also remembered."""
        self.reasons.append(Reason(key, choice, why))
        return f"{line or key_line(key.rpartition('.')[2], choice)}  {comment(why)}"

    def _check(self, key: str, what: str) -> list[str]:
        """A line that asks to look at something, which is also remembered; none where the same was asked before."""
        if any(reason.choice == "check" and reason.why == what for reason in self.reasons):
            return []
        self.reasons.append(Reason(key, "check", what))
        return [comment(f"check: {what}")]

    def _take(self, field: str) -> Found | None:
        found = self._found.get(field)
        if found is not None:
            self._used.add(found.column.name)
        return found

    def _event(self, kind: str) -> str:
        found = self._event_column = event_column(self._columns, self._found)
        if found is None:
            name, why = self._only_event(kind)
            states = unused_states(self._columns, self._found)
            checks = [line for what in states for line in self._check("event", what)]
            checks += self._amount_missing([name], self._header_question())
            return "\n".join(["[event]", self._said("event.value", name, why), *checks])
        self._used.add(found.column.name)
        names = event_names(found, self._found, kind)
        lines = ["[event]", self._said("event.column", found.column.name, found.why)]
        lines += [line for what in names.checks for line in self._check("event.values", what)]
        if "order_id" in self._found:
            lines += self._amount_missing([*names.values.values(), *found.column.texts])
        if names.values:
            lines += ["", "[event.values]", *(key_line(raw, name) for raw, name in names.values.items())]
        return "\n".join(lines)

    def _orders(self, kind: str) -> OrderLines | None:
        """How rows make up orders: a sale and a return on one receipt are two events."""
        orders = order_lines(self._found, kind)
        event = self._event_column
        if orders is None or not orders.grouped or event is None or event.column.name in orders.group_by:
            return orders
        cells = {c.name: c.cells for c in self._columns}
        keys = set(zip(*(cells[name] for name in orders.group_by), strict=True))
        named = set(zip(*(cells[name] for name in orders.group_by), event.column.cells, strict=True))
        if len(named) == len(keys):
            return orders
        return replace(orders, group_by=(*orders.group_by, event.column.name))

    def _only_event(self, kind: str) -> tuple[str, str]:
        """The one event that all rows are, where no column names it."""
        if kind in EVENT_OF_KIND:
            return EVENT_OF_KIND[kind], f"no column names the event, and the source is of kind {kind}"
        for field, name in (("order_id", "Order Completed"), ("value", "Order Completed"), ("url", "Page Viewed")):
            if field in self._found:
                return name, f'no column names the event, and each row has "{self._found[field].column.name}"'
        raise MappingError(
            said("errors.not_mentioned", file=self._file),
            hint=self._header_hint(said("errors.not_mentioned_hint")),
            fields={"columns": [column.name for column in self._columns]},
        )

    def _time(self) -> str:
        found = self._take("time")
        guess = found.column.named_time if found is not None else None
        if found is None or guess is None:
            raise MappingError(
                said("errors.not_when", file=self._file),
                hint=self._header_hint(said("errors.not_when_hint")),
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
        lines.append(self._said("timestamp.format", time_format, written))
        if guess.share_ratio < 1:
            lines += self._check(
                "timestamp.format", "rows whose time is written otherwise, or is no date, will be rejected"
            )
        return "\n".join(lines)

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
            lines += self._amount_checks(f"items.{key}", found.column)
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
                lines += self._amount_checks(f"columns.{field}", found.column)
        return lines if grouped else [*lines, *self._single_product()]

    def _sum_of_lines(self, orders: OrderLines, amount: Column) -> list[str]:
        """The order's value where each row has its line's: nothing where prices and quantities give it."""
        if "item.price" in self._found:
            return []
        self._used.add(amount.name)
        partition = ", ".join(sql_name(name) for name in orders.group_by)
        number = amount.as_sql_number()
        total = f"sum({number}) over (partition by {partition})"
        if amount.is_text:  # an order with a line that is no amount is rejected, not summed without it
            wrong = f"bool_or(trim({sql_name(amount.name)}) <> '' and {number} is null) over (partition by {partition})"
            total = f"case when {wrong} then 'unreadable' else cast({total} as varchar) end"
        self._computed.append(f"{total} as order_value")
        why = f'"{amount.name}" differs within an order: its sum is the order\'s value'
        return [self._said("columns.value", "order_value", why), *self._amount_checks("columns.value", amount)]

    def _amount_checks(self, key: str, column: Column) -> list[str]:
        """What to look at in a column of amounts."""
        field = key.rpartition(".")[2]
        if field not in AMOUNTS:
            return []
        checks = []
        if column.thousands:
            checks.append('points are taken for thousands: "1.234" is 1234. If it is 1.234, delete decimal = ","')
        if column.unreadable:
            checks.append(f"no amount can be read from {examples(column.unreadable)}: rows with that will be rejected")
        if field in ("value", "price", "quantity") and any(
            amount is not None and amount < 0 for amount in column.amounts
        ):
            checks.append(
                "some amounts are negative: an Order Completed with a negative value becomes an Order Refunded"
            )
        return [line for what in checks for line in self._check(key, what)]

    def _amount_missing(self, events: Iterable[str], question: str = "") -> list[str]:
        """Orders without amounts are rare: perhaps another line is the header."""
        if "Order Completed" not in events or _WORTH & self._found.keys():
            return []
        return self._check("columns.value", f"no amount found: orders will have no value{question}")

    def _header_hint(self, hint: str) -> str:
        """The hint, and where the names of the columns were taken from: a wrong line is why nothing is found."""
        if self._header is None:
            return hint
        return said("errors.header_taken", hint=hint, line=str(self._header.line))

    def _header_question(self) -> str:
        return f"; is line {self._header.line} the header?" if self._header is not None else ""

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
                lines += self._amount_checks(f"columns.{key}", found.column)
        return lines
