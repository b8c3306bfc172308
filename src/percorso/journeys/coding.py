"""The second pass of a build: turn batches of lake rows into codes, classifying distinct values only.

Everything that is decided from an event alone is decided here, once for each distinct combination of the
values it depends on: canonical name, touchpoint, place, direction, signal, channel, device, bot.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from percorso.events.aliases import canonical_name
from percorso.events.bots import BotRules
from percorso.events.devices import device_of
from percorso.events.event import ITEM_TYPE
from percorso.events.personal import without_personal
from percorso.identity.keyed_hashes import hashes_of_texts
from percorso.journeys.channels import ChannelRules, Origin
from percorso.journeys.details import DETAILS_TYPE, DetailReader
from percorso.journeys.signals import ORDER, SIGNAL_NONE
from percorso.journeys.source_lists import has_path_rules
from percorso.journeys.touchpoints import classify_event, page_of
from percorso.kernels.interning import KeyTable, TupleTable
from percorso.kernels.sessions import CONTACT_NONE, CONTACT_SERVER, CONTACT_SESSION, CONTACT_SINGLE
from percorso.kernels.urls import cut_hosts, cut_queries, hash_pages
from percorso.settings import Settings
from percorso.store.cold import COLD_COLUMNS
from percorso.store.columns import as_strings, null_mask, string_buffers, strings_from_buffers, whole
from percorso.store.journey_log import FLAG_BOT
from percorso.store.log_files import fixed_column

__all__ = ["CODED_READ", "READ_COLUMNS", "TEXT_SCHEMA", "Coder", "Dictionary"]

#: What goes to a row's person beside its numbers: traits, products, keyed hash of its order, details.
TEXT_SCHEMA = pa.schema(
    [
        ("traits", pa.string()),
        ("items", pa.list_(ITEM_TYPE)),
        ("order_key", pa.binary(16)),
        ("details", DETAILS_TYPE),
    ]
)

#: Read from Parquet as dictionaries: few distinct values, so that nothing is decoded row by row.
CODED_READ = (
    "source_kind",
    "type",
    "name",
    "ref_space",
    "channel",
    "place",
    "direction",
    "touchpoint",
    "utm_source",
    "utm_medium",
    "utm_campaign",
    "click_id",
    "user_agent",
    "device",
    "os",
    "country",
    "currency",
    "product_id",
    "category",
    "referrer",
)

READ_COLUMNS = (
    *CODED_READ,
    "order_id",
    "value",
    "score",
    "items",
    "traits",
    "consent",
    "loyalty_id",
    *(name for name in COLD_COLUMNS if name not in CODED_READ),
)

_CONTACTS = {"session": CONTACT_SESSION, "single": CONTACT_SINGLE, "server": CONTACT_SERVER}
_PAGE_TYPES = ("page", "screen")

Codes = npt.NDArray[np.int32]


class Dictionary:
    """Texts to codes in order of first sight; code 0 is "".

    Parameters
    ----------
    masked : bool
        Texts go into the journey log, so without addresses in them.
    """

    def __init__(self, *, masked: bool = False) -> None:
        self._codes: dict[str, int] = {"": 0}
        self._masked = masked
        self._lock = threading.Lock()
        self.texts: list[str] = [""]

    def __len__(self) -> int:
        return len(self.texts)

    def code(self, text: str) -> int:
        """Code of a text, a new one at first sight; from any thread."""
        code = self._codes.get(text)
        return self._add(text) if code is None else code

    def _add(self, text: str) -> int:
        shown = without_personal(text) if self._masked else text
        with self._lock:
            code = self._codes.get(shown)
            if code is None:
                self.texts.append(shown)
                code = self._codes[shown] = len(self.texts) - 1
            self._codes[text] = code
        return code

    def learn(self, texts: Iterable[str]) -> None:
        """Give every text its code."""
        for text in texts:
            self.code(text)

    def codes(self, column: pa.Array | pa.ChunkedArray, convert: Callable[[str], str] | None = None) -> Codes:
        """Codes of a text column, int32, shape (n,); null counts as "". `convert` sees distinct values."""
        array = whole(column)
        if array.null_count == len(array):
            return np.zeros(len(array), dtype=np.int32)
        if not pa.types.is_dictionary(array.type):
            array = array.dictionary_encode()
        values = [value or "" for value in array.dictionary.to_pylist()]
        lookup = np.array([self.code(convert(v) if convert and v else v) for v in values] + [0], dtype=np.int32)
        indices = array.indices
        if indices.null_count:
            indices = indices.fill_null(len(values))
        codes: Codes = lookup[indices.to_numpy(zero_copy_only=False)]
        return codes


class _Distinct:
    """Distinct tuples of codes, and one row of results for each."""

    def __init__(self, n_results: int) -> None:
        self._table = TupleTable()
        self._results = np.empty((64, n_results), dtype=np.int32)
        self._size = 0

    def results(
        self, columns: Sequence[Codes], decide: Callable[[tuple[int, ...]], tuple[int, ...]]
    ) -> npt.NDArray[np.int32]:
        """Results for every row, int32, shape (n, n_results); `decide` sees each distinct tuple once."""
        codes, firsts = self._table.codes(columns)
        for row in firsts:
            self._add(decide(tuple(int(column[row]) for column in columns)))
        return self._results[codes]

    def _add(self, result: tuple[int, ...]) -> None:
        if self._size == len(self._results):
            self._results = np.concatenate([self._results, np.empty_like(self._results)])
        self._results[self._size] = result
        self._size += 1


class Coder:
    """Codes batches of lake rows; keeps the dictionaries that the codes count into."""

    def __init__(self, settings: Settings, secret: bytes) -> None:
        self._settings = settings
        self._secret = secret
        self._channels = ChannelRules(settings.channels)
        self._bots = BotRules(settings.bots)
        names = "event touchpoint place channel channel_rule direction device os country campaign page product"
        names += " category currency"
        self.dictionaries = {name: Dictionary(masked=True) for name in names.split()}
        self.properties = {name: Dictionary(masked=True) for name in settings.build.coded_properties}
        self._inner = {
            name: Dictionary()
            for name in [
                "type",
                "kind",
                "sent_name",
                "source_name",
                "channel",
                "place",
                "direction",
                "source",
                "medium",
                "click",
                "host",
                "title",
                "agent",
            ]
        }
        self._events = _Distinct(1)
        self._classes = _Distinct(7)
        self._origins = _Distinct(3)
        self._pages_seen = KeyTable()
        self._page_table = np.zeros((1, 2), dtype=np.int32)
        self._devices_of: list[tuple[int, int, int]] = []
        events = self.dictionaries["event"]
        self._details = DetailReader(settings.workspace.timezone, lambda code: events.texts[code])
        self._device_table = np.zeros((0, 3), dtype=np.int32)

    def code(self, batch: pa.RecordBatch, source: str) -> dict[str, npt.NDArray[Any]]:
        """Number columns of the rows of one source, each of shape (n_rows,)."""
        out: dict[str, npt.NDArray[Any]] = {}
        page, url_host = self._pages(as_strings(batch.column("url")))
        out["page"] = page
        out |= self._classified(batch, source, page)
        out |= self._origin(batch, url_host, out["place"])
        out |= self._devices(batch)
        out |= self._money(batch)
        for name, column in (("country", "country"), ("campaign", "utm_campaign"), ("product", "product_id")):
            out[name] = self.dictionaries[name].codes(batch.column(column))
        out["category"] = self._categories(batch)
        out |= self._coded_properties(batch)
        score = batch.column("score")
        out["score"] = score.cast(pa.float64()).fill_null(float("nan")).to_numpy(zero_copy_only=False)
        return out

    def order_keys(self, batch: pa.RecordBatch, signal: npt.NDArray[Any]) -> pa.Array:
        """Keyed hash (16 bytes) of (ref space, order id) on rows that are orders, else null."""
        ids, spaces = as_strings(batch.column("order_id")), as_strings(batch.column("ref_space"))
        rows = np.flatnonzero((signal == ORDER) & (null_mask(ids) == 0))
        wanted = pa.array(rows)
        told = as_strings(pc.binary_join_element_wise("order", spaces.take(wanted), ids.take(wanted), "\0"))
        keys = hashes_of_texts(self._secret, told)
        at = np.full(batch.num_rows, -1, dtype=np.int64)
        at[rows] = np.arange(len(rows))
        return fixed_column(pa.binary(16), keys, None).take(pa.array(at, mask=at < 0))

    def details(self, batch: pa.RecordBatch, event: npt.NDArray[Any]) -> pa.Array:
        """Details of the rows (percorso.events.details), null where there are none; `event` as `code` gives it."""
        return self._details.column(batch, event)

    def _codes_of(self, name: str, texts: Iterable[str]) -> list[int]:
        return [self._inner[name].code(text) for text in texts]

    def _pages(self, urls: pa.StringArray) -> tuple[Codes, Codes]:
        """Codes of the cleaned path and of the host."""
        if urls.null_count == len(urls):
            nothing = np.zeros(len(urls), dtype=np.int32)
            return nothing, nothing
        keys = np.empty((len(urls), 2), dtype=np.uint64)
        hash_pages(*string_buffers(urls), keys)
        codes, firsts = self._pages_seen.codes(keys, null_mask(urls))
        if len(firsts):
            bare = strings_from_buffers(*cut_queries(*string_buffers(urls.take(pa.array(firsts)))))
            hosts = strings_from_buffers(*cut_hosts(*string_buffers(bare)))
            found = (self.dictionaries["page"].codes(bare, page_of), self._inner["host"].codes(hosts))
            self._page_table = np.concatenate([self._page_table[:-1], np.stack(found, axis=1), self._page_table[-1:]])
        both = self._page_table[codes]  # code -1, no URL, reads the last row
        return both[:, 0], both[:, 1]

    def _classified(self, batch: pa.RecordBatch, source: str, page: Codes) -> dict[str, npt.NDArray[Any]]:
        kind = self._inner["kind"].codes(batch.column("source_kind"))
        sent = self._inner["sent_name"].codes(batch.column("name"))
        event = self._events.results((sent, kind), self._decide_event)[:, 0]
        row_type = self._inner["type"].codes(batch.column("type"))
        is_page = np.isin(row_type, self._codes_of("type", _PAGE_TYPES))
        # A screen's title is its name; a page's may greet its visitor.
        is_screen = row_type == self._inner["type"].code("screen")
        title = self._inner["title"].codes(batch.column("title"))
        result = self._classes.results(
            (
                event,
                row_type,
                kind,
                self._inner["place"].codes(batch.column("place")),
                self._inner["direction"].codes(batch.column("direction")),
                np.where(is_page, page, np.int32(0)),
                np.where(is_screen, title, np.int32(0)),
                np.full(batch.num_rows, self._inner["source_name"].code(source), dtype=np.int32),
            ),
            self._decide_class,
        )
        touchpoint = self.dictionaries["touchpoint"].codes(batch.column("touchpoint"))
        return {
            "event": event,
            "qualifies": result[:, 0].astype(np.int8),
            "inbound": result[:, 1].astype(np.uint8),
            "direction": result[:, 2],
            "place": result[:, 3],
            "touchpoint": np.where(touchpoint > 0, touchpoint, result[:, 4]),
            "contact": result[:, 5].astype(np.int8),
            "action": result[:, 6].astype(np.uint8),
        }

    def _decide_event(self, codes: tuple[int, ...]) -> tuple[int, ...]:
        name, kind = _text(self._inner["sent_name"], codes[0]), _text(self._inner["kind"], codes[1])
        return (self.dictionaries["event"].code(canonical_name(name, self._settings.aliases, source_kind=kind)),)

    def _decide_class(self, codes: tuple[int, ...]) -> tuple[int, ...]:
        event, row_type, kind, place, direction, page, title, source = codes
        inner, outer = self._inner, self.dictionaries
        found = classify_event(
            _text(outer["event"], event),
            _text(inner["type"], row_type),
            _text(inner["kind"], kind),
            _text(inner["place"], place),
            _text(inner["direction"], direction),
            _text(outer["page"], page),
            _text(inner["title"], title),
            settings=self._settings,
            source=_text(inner["source_name"], source),
        )
        bookkeeping = found.contact == "server" and found.signal == SIGNAL_NONE and not found.action
        return (
            found.signal,
            int(found.direction == "inbound"),
            outer["direction"].code(found.direction),
            outer["place"].code(found.place),
            outer["touchpoint"].code(found.touchpoint),
            CONTACT_NONE if bookkeeping else _CONTACTS[found.contact],
            int(found.action),
        )

    def _origin(self, batch: pa.RecordBatch, url_host: Codes, place: Codes) -> dict[str, npt.NDArray[Any]]:
        referrer = whole(batch.column("referrer"))
        host: Codes = np.zeros(batch.num_rows, dtype=np.int32)
        if referrer.null_count < len(referrer):
            if not pa.types.is_dictionary(referrer.type):
                referrer = referrer.dictionary_encode()
            cut = _referrer_hosts(as_strings(referrer.dictionary))
            host = self._inner["host"].codes(pa.DictionaryArray.from_arrays(referrer.indices, cut))
        inner = self._inner
        result = self._origins.results(
            (
                inner["kind"].codes(batch.column("source_kind")),
                inner["channel"].codes(batch.column("channel")),
                inner["source"].codes(batch.column("utm_source")),
                inner["medium"].codes(batch.column("utm_medium")),
                self.dictionaries["campaign"].codes(batch.column("utm_campaign")),
                inner["click"].codes(batch.column("click_id")),
                host,
                url_host,
                place,
            ),
            self._decide_origin,
        )
        return {"channel": result[:, 0], "channel_rule": result[:, 1], "known": result[:, 2].astype(np.uint8)}

    def _decide_origin(self, codes: tuple[int, ...]) -> tuple[int, ...]:
        kind, channel, source, medium, campaign, click, referrer, url_host, place = codes
        inner, outer = self._inner, self.dictionaries
        found = self._channels.classify(
            Origin(
                source_kind=_text(inner["kind"], kind),
                channel=_text(inner["channel"], channel),
                utm_source=_text(inner["source"], source),
                utm_medium=_text(inner["medium"], medium),
                utm_campaign=_text(outer["campaign"], campaign),
                click_id=_text(inner["click"], click),
                referrer=_text(inner["host"], referrer),
                url_host=_text(inner["host"], url_host),
                place=_text(outer["place"], place),
            )
        )
        return outer["channel"].code(found.channel), outer["channel_rule"].code(found.rule), int(found.known)

    def _devices(self, batch: pa.RecordBatch) -> dict[str, npt.NDArray[Any]]:
        agent = self._inner["agent"].codes(batch.column("user_agent"))
        known = self._known_devices()[agent]
        said_device = self.dictionaries["device"].codes(batch.column("device"), str.lower)
        said_os = self.dictionaries["os"].codes(batch.column("os"))
        return {
            "device": np.where(said_device > 0, said_device, known[:, 0]),
            "os": np.where(said_os > 0, said_os, known[:, 1]),
            "flags": known[:, 2].astype(np.uint16),
        }

    def _known_devices(self) -> npt.NDArray[np.int32]:
        """Device, system and bot flag of every user agent seen, int32, shape (n_agents, 3)."""
        texts = self._inner["agent"].texts
        for code in range(len(self._devices_of), len(texts)):
            found = device_of(texts[code])
            self._devices_of.append(
                (
                    self.dictionaries["device"].code(found.kind),
                    self.dictionaries["os"].code(found.os),
                    FLAG_BOT if self._bots.is_bot(texts[code]) else 0,
                )
            )
        if len(self._device_table) < len(texts):
            self._device_table = np.array(self._devices_of, dtype=np.int32)
        return self._device_table

    def _money(self, batch: pa.RecordBatch) -> dict[str, npt.NDArray[Any]]:
        value = batch.column("value")
        valued = null_mask(value) == 0
        currency = self.dictionaries["currency"].codes(batch.column("currency"))
        default = self.dictionaries["currency"].code(self._settings.workspace.currency)
        items = batch.column("items")
        amount = value.fill_null(0).to_numpy(zero_copy_only=False)
        return {
            "value": amount,
            "currency": np.where(valued, np.where(currency > 0, currency, np.int32(default)), np.int32(0)),
            "has_cart": ((_lengths(items) > 0) | (valued & (amount > 0))).astype(np.uint8),
        }

    def _categories(self, batch: pa.RecordBatch) -> Codes:
        """The event's category, else that of its first item."""
        codes = self.dictionaries["category"].codes(batch.column("category"))
        items = batch.column("items")
        rows = np.flatnonzero((_lengths(items) > 0) & (codes == 0))
        if len(rows):
            starts = items.offsets.to_numpy()[rows]
            first = items.values.field("category").take(pa.array(starts))
            codes[rows] = self.dictionaries["category"].codes(first)
        return codes

    def _coded_properties(self, batch: pa.RecordBatch) -> dict[str, npt.NDArray[Any]]:
        if not self.properties:
            return {}
        texts = as_strings(batch.column("properties"))
        rows = [msgspec.json.decode(text) if text else {} for text in texts.to_pylist()]
        return {
            f"prop.{name}": dictionary.codes(pa.array([_plain(row.get(name)) for row in rows], pa.string()))
            for name, dictionary in self.properties.items()
        }


def _referrer_hosts(referrers: pa.StringArray) -> pa.StringArray:
    """Host of each referrer, and the path where it can matter to the channel."""
    hosts = strings_from_buffers(*cut_hosts(*string_buffers(referrers)))
    distinct = hosts.unique().to_pylist()
    with_path = [host for host in distinct if has_path_rules(host)]
    if not with_path:
        return hosts
    bare = strings_from_buffers(*cut_queries(*string_buffers(referrers)))
    return pc.if_else(pc.is_in(hosts, pa.array(with_path, pa.string())), bare, hosts)


def _text(dictionary: Dictionary, code: int) -> str:
    return dictionary.texts[code]


def _plain(value: object) -> str:
    """A JSON value as the text that conditions compare with."""
    if value is None:
        return ""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _lengths(items: pa.ListArray) -> npt.NDArray[np.int64]:
    if items.null_count == len(items):
        return np.zeros(len(items), dtype=np.int64)
    return pc.fill_null(pc.list_value_length(items), 0).to_numpy(zero_copy_only=False).astype(np.int64)  # type: ignore[no-any-return]
