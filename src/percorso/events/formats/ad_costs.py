"""Format `ad-costs`: what advertising cost by day and campaign, as ad platforms export it.

Columns are found by their names, English or Italian, and by those of Google Ads' and Meta's own exports.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from percorso.errors import MappingError
from percorso.events.amounts import minor_from_arrow
from percorso.events.columns import as_texts
from percorso.events.conversion import Reject, TableChunk
from percorso.events.formats.assemble import same_text, table_reject
from percorso.events.formats.guess import guess_decimal, guess_time_format
from percorso.events.formats.json_values import Faults
from percorso.events.formats.source import SourceInfo
from percorso.events.side_rows import SideRows, side_schema
from percorso.events.times import NOTE_CODES, NOTE_MISSING, read_times
from percorso.language.said import said
from percorso.money import exponent
from percorso.settings import CURRENCY_EXPONENTS, Settings
from percorso.store.lake_tables import AD_SPEND

__all__ = ["AdCostsFormat", "find_ad_columns"]

#: What a column is -> the names it has, lower case, without what stands in brackets.
_NAMES: dict[str, tuple[str, ...]] = {
    "day": ("day", "date", "giorno", "data", "reporting starts", "inizio report", "inizio dei report"),
    "source": ("source", "utm_source", "sorgente", "origine", "fonte", "platform", "piattaforma"),
    "medium": ("medium", "utm_medium", "mezzo"),
    "source_medium": ("source / medium", "source/medium", "sorgente / mezzo", "sorgente/mezzo", "origine/mezzo"),
    "channel": ("channel", "canale", "default channel group", "channel group", "gruppo di canali predefinito"),
    "campaign": (
        *("campaign", "campaign name", "utm_campaign", "campagna"),
        *("nome campagna", "nome della campagna"),
    ),
    "cost": ("cost", "costo", "costi", "spend", "ad spend", "spesa", "amount spent", "importo speso"),
    "impressions": ("impressions", "impr.", "impression", "impressioni", "visualizzazioni"),
    "clicks": ("clicks", "clic", "click", "link clicks", "clic sul link"),
    "currency": ("currency", "currency code", "valuta", "codice valuta", "codice della valuta"),
}
#: Names by which the exports of a platform are known; they don't say the platform in a column.
_PLATFORMS: tuple[tuple[frozenset[str], tuple[str, str]], ...] = (
    (frozenset({"amount spent", "importo speso"}), ("facebook", "paid_social")),
    (frozenset({"impr.", "avg. cpc", "cpc medio", "campaign type", "tipo di campagna"}), ("google", "cpc")),
)
_BRACKETS = re.compile(r"\s*\(([^)]*)\)\s*$")
_TOTAL = re.compile(r"\W*total[ei]?\b", re.IGNORECASE)


def find_ad_columns(names: Sequence[str]) -> dict[str, str]:
    """Which column is which: of day, source, medium, ... to the column's name in the file.

    Examples
    --------
    >>> find_ad_columns(["Giorno", "Nome della campagna", "Importo speso (EUR)", "Impression"])["cost"]
    'Importo speso (EUR)'
    """
    plain = {_plain(name): name for name in reversed(names)}
    found = {}
    for role, known in _NAMES.items():
        name = next((plain[each] for each in known if each in plain), None)
        if name is not None:
            found[role] = name
    return found


def _plain(name: str) -> str:
    return _BRACKETS.sub("", name).strip().lower()


class AdCostsFormat:
    """Converts rows of an ad platform's export into rows of ad spend."""

    name = "ad-costs"

    def __init__(self, settings: Settings, source: SourceInfo) -> None:
        self._settings = settings
        self._source = source
        self._time_format = ""
        self._decimal = ""

    def convert(self, chunk: TableChunk) -> SideRows:
        """Spend rows of the chunk, in file order. Lines of totals are left out.

        Raises
        ------
        MappingError
            There is no column for the day, the cost, or where the money was spent.
        """
        columns = find_ad_columns(chunk.table.column_names)
        rows = chunk.table.num_rows
        faults = Faults()
        cells = {role: as_texts(chunk.table.column(name)) for role, name in columns.items()}
        origin = self._origin(chunk.table.column_names, cells, rows)
        currency = self._currency(columns, cells, rows)
        made = {
            "source": same_text(self._source.name, rows),
            "day": self._days(_needed(cells, "day", chunk), faults),
            **origin,
            "campaign": cells.get("campaign", pa.nulls(rows, pa.string())),
            "cost": self._costs(_needed(cells, "cost", chunk), currency, faults),
            "currency": pa.array(currency, pa.string()),
            "impressions": _counts(cells.get("impressions"), rows),
            "clicks": _counts(cells.get("clicks"), rows),
        }
        good = np.setdiff1d(np.arange(rows), list(faults))
        schema = side_schema(AD_SPEND)
        spend = pa.table([made[field.name].take(pa.array(good)) for field in schema], schema=schema)
        return SideRows(AD_SPEND, spend, good, _rejects(chunk, faults))

    def _origin(self, names: Sequence[str], cells: dict[str, pa.Array], rows: int) -> dict[str, pa.Array]:
        """utm_source, utm_medium and channel: from columns, else from whose export it is."""
        none = pa.nulls(rows, pa.string())
        source, medium = cells.get("source", none), cells.get("medium", none)
        if "source_medium" in cells:
            pairs = [(text or "").partition("/") for text in cells["source_medium"].to_pylist()]
            source = pa.array([pair[0].strip() or None for pair in pairs], pa.string())
            medium = pa.array([pair[2].strip() or None for pair in pairs], pa.string())
        if not {"source", "medium", "source_medium", "channel"} & set(cells):
            plain = {_plain(name) for name in names}
            platform = next((known for signs, known in _PLATFORMS if signs & plain), None)
            if platform is None:
                raise MappingError(
                    said("errors.money_where"),
                    hint=said("errors.money_where_hint"),
                )
            source, medium = (same_text(text, rows) for text in platform)
        return {"utm_source": source, "utm_medium": medium, "channel": cells.get("channel", none)}

    def _currency(self, columns: dict[str, str], cells: dict[str, pa.Array], rows: int) -> list[str]:
        """A column's, else the one in the cost's own name ("Amount spent (EUR)"), else the workspace's."""
        bracket = _BRACKETS.search(columns.get("cost", ""))
        default = bracket[1].strip().upper() if bracket else ""
        default = default if default in CURRENCY_EXPONENTS else self._settings.workspace.currency
        given = cells["currency"].to_pylist() if "currency" in cells else [None] * rows
        return [code.upper() if code and code.upper() in CURRENCY_EXPONENTS else default for code in given]

    def _days(self, texts: pa.Array, faults: Faults) -> pa.Array:
        if not self._time_format:
            guess = guess_time_format(texts.slice(0, 1000).to_pylist(), enough_ratio=0.1)
            self._time_format = guess.format if guess else "iso"
        times = read_times(texts, time_format=self._time_format, timezone="UTC")
        for row in np.flatnonzero(times.null).tolist():
            missing = times.notes[row] == NOTE_MISSING
            faults.add(row, NOTE_CODES[times.notes[row]], "the row has no day" if missing else "the day is no date")
        days = (times.us // 86_400_000_000).astype(np.int32)
        return pa.array(days, pa.int32(), mask=times.null).cast(pa.date32())

    def _costs(self, texts: pa.Array, currency: Sequence[str], faults: Faults) -> pa.Array:
        if not self._decimal:
            self._decimal = guess_decimal(texts.slice(0, 1000).to_pylist())
        decimals = np.array([exponent(code) for code in currency], dtype=np.int64)
        minor = np.zeros(len(texts), dtype=np.int64)
        for each in np.unique(decimals).tolist():
            rows = np.flatnonzero(decimals == each)
            found, unreadable = minor_from_arrow(texts.take(pa.array(rows)), each, self._decimal)
            minor[rows] = found.fill_null(0).to_numpy()
            for row in rows[unreadable].tolist():
                faults.add(row, "amount_unreadable", "the cost is no amount")
        return pa.array(minor)


def _needed(cells: dict[str, pa.Array], role: str, chunk: TableChunk) -> pa.Array:
    if role not in cells:
        raise MappingError(
            said("errors.column_of_role", role=role),
            hint=said("errors.column_of_role_hint", names=", ".join(_NAMES[role])),
            fields={"columns": list(chunk.table.column_names)},
        )
    return cells[role]


def _counts(texts: pa.Array | None, rows: int) -> pa.Array:
    """Whole numbers, with or without thousands separators; null where there is none."""
    if texts is None:
        return pa.nulls(rows, pa.int64())
    digits = pc.replace_substring_regex(pc.replace_substring_regex(texts, r"[.,]0{1,2}$", ""), r"[^0-9]", "")
    return pc.if_else(pc.equal(digits, ""), pa.scalar(None, pa.string()), digits).cast(pa.int64())


def _rejects(chunk: TableChunk, faults: Faults) -> list[Reject]:
    """Rejects, but for rows that add up the others: exports end with such, without a day."""
    return [
        table_reject(chunk, row, *faults[row])
        for row in sorted(faults)
        if not (faults[row][0].startswith("time_") and _is_total(chunk, row))
    ]


def _is_total(chunk: TableChunk, row: int) -> bool:
    cells = chunk.table.slice(row, 1).to_pylist()[0].values()
    return any(isinstance(cell, str) and _TOTAL.match(cell) for cell in cells)
