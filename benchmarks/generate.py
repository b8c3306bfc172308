"""Events of an invented shop, the same rows for the same seed:

    python -m benchmarks.generate FOLDER --events 1000000 [--persons N] [--text]

writes events.parquet and mapping.toml and, with --text, events.csv and events.ndjson (Segment messages).

Visits follow paths of a Markov chain over 25 events of the e-commerce spec; a few people come often, most of
them seldom; some are logged in; landings carry campaign parameters. Rows stand in time order. Every event of
a person has a time of its own, so that no order of equal times has to be chosen.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq

__all__ = [
    "BLOCK_EVENTS",
    "HOST",
    "MAPPING",
    "NAMES",
    "START_US",
    "YEAR_US",
    "Ints",
    "Visits",
    "campaign_queries",
    "chain_paths",
    "draw_visits",
    "event_tables",
    "event_times",
    "main",
    "numbered",
    "origin_column",
    "page_paths",
    "referrers",
    "uuids",
    "write_csv",
    "write_parquet",
    "write_segment",
]

BLOCK_EVENTS = 500_000
YEAR_US = 365 * 86_400_000_000
START_US = 1_704_067_200_000_000  # 2024-01-01
HOST = "https://www.shop.example"

#: Event, page, what may come next. The first one given is three times as likely as the others.
CHAIN: dict[str, tuple[str, tuple[str, ...]]] = {
    "Page Viewed": ("/", ("Product List Viewed", "Products Searched", "Promotion Viewed", "Page Viewed", "")),
    "Product List Viewed": ("/c/{}", ("Product Viewed", "Product List Filtered", "Product Clicked", "")),
    "Product List Filtered": ("/c/{}?sort=price", ("Product Viewed", "Product Clicked", "Product List Viewed", "")),
    "Products Searched": ("/search?q=term{}", ("Product Viewed", "Product Clicked", "Products Searched", "")),
    "Promotion Viewed": ("/", ("Promotion Clicked", "Product List Viewed", "")),
    "Promotion Clicked": ("/promo/{}", ("Product Viewed", "")),
    "Product Clicked": ("/c/{}", ("Product Viewed",)),
    "Product Viewed": (
        "/p/product-{}",
        ("Product Viewed", "Product Added", "Product List Viewed", "Product Added to Wishlist", "Product Shared", ""),
    ),
    "Product Shared": ("/p/product-{}", ("Product Viewed", "")),
    "Product Added to Wishlist": ("/wishlist", ("Product Viewed", "Wishlist Product Added to Cart", "")),
    "Wishlist Product Added to Cart": ("/wishlist", ("Cart Viewed", "")),
    "Product Added": ("/p/product-{}", ("Cart Viewed", "Product Viewed", "Product List Viewed", "")),
    "Cart Viewed": ("/cart", ("Checkout Started", "Product Removed", "Product Viewed", "Cart Shared", "")),
    "Cart Shared": ("/cart", ("Checkout Started", "")),
    "Product Removed": ("/cart", ("Product Viewed", "")),
    "Checkout Started": ("/checkout", ("Checkout Step Viewed", "Coupon Entered", "")),
    "Coupon Entered": ("/checkout", ("Coupon Applied", "Coupon Denied")),
    "Coupon Applied": ("/checkout", ("Checkout Step Viewed",)),
    "Coupon Denied": ("/checkout", ("Checkout Step Viewed", "")),
    "Checkout Step Viewed": ("/checkout/shipping", ("Checkout Step Completed", "")),
    "Checkout Step Completed": ("/checkout/shipping", ("Payment Info Entered", "")),
    "Payment Info Entered": ("/checkout/payment", ("Order Completed", "Payment Failed")),
    "Payment Failed": ("/checkout/payment", ("Payment Info Entered", "")),
    "Order Completed": ("/thanks", ("Product Reviewed", "")),
    "Product Reviewed": ("/review/{}", ("",)),
}
NAMES = tuple(CHAIN)
MOST_STEPS = 40

#: Source, medium, campaign, referrer of a visit's landing, and how often (in 100).
ORIGINS: tuple[tuple[str, str, str, str, int], ...] = (
    ("", "", "", "", 34),
    ("", "", "", "https://www.google.com/", 24),
    ("google", "cpc", "brand-it", "https://www.google.com/", 14),
    ("facebook", "paid_social", "autumn-sale", "https://l.facebook.com/", 10),
    ("newsletter", "email", "weekly-38", "", 9),
    ("instagram", "social", "", "https://l.instagram.com/", 5),
    ("partner", "affiliate", "price-compare", "https://www.prices.example/", 4),
)

MAPPING = """\
source = "web"
kind = "web"
event = { column = "event" }
timestamp = { column = "timestamp", format = "iso" }

[columns]
message_id = "message_id"
user_id = "user_id"
anonymous_id = "anonymous_id"
url = "url"
referrer = "referrer"
utm_source = "utm_source"
utm_medium = "utm_medium"
utm_campaign = "utm_campaign"
value = "value"
currency = "currency"
"""

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Visits:
    """Visits of a block, and their events: the event's visit, its place in it, and its code in `NAMES`."""

    person: Ints
    begin_us: Ints
    origin: Ints
    of_event: Ints
    place: Ints
    code: Ints


def event_tables(events: int, persons: int, seed: int = 7) -> Iterator[pa.Table]:
    """The events in time order, `BLOCK_EVENTS` at a time.

    Parameters
    ----------
    events : int
        Number of events, exactly.
    persons : int
        Number of people who may come; how often each does falls with a power of their rank.
    """
    paths = chain_paths(np.random.default_rng(seed))
    blocks = -(-events // BLOCK_EVENTS)
    for block in range(blocks):
        rng = np.random.default_rng([seed, block])
        wanted = min(BLOCK_EVENTS, events - block * BLOCK_EVENTS)
        span_us = YEAR_US // blocks
        yield _table(draw_visits(rng, paths, wanted, persons, START_US + block * span_us, span_us), rng)


def chain_paths(rng: np.random.Generator) -> list[Ints]:
    """Paths through the chain, as codes."""
    paths = []
    for _ in range(4_000):
        name = NAMES[int(rng.choice(4, p=(0.45, 0.3, 0.15, 0.1)))] if rng.random() < 0.8 else "Product Viewed"
        path: list[int] = []
        while name and len(path) < MOST_STEPS:
            path.append(NAMES.index(name))
            following = CHAIN[name][1]
            weights = np.array([3.0] + [1.0] * (len(following) - 1))
            name = following[int(rng.choice(len(following), p=weights / weights.sum()))]
        paths.append(np.array(path, np.int64))
    return paths


def draw_visits(
    rng: np.random.Generator,
    paths: list[Ints],
    events: int,
    persons: int,
    begin_us: int,
    span_us: int,
    *,
    skew: float = 2.5,
) -> Visits:
    """Visits that make up so many events; the higher `skew`, the more of them a few people make."""
    lengths = np.array([len(path) for path in paths])
    starts = np.concatenate([[0], np.cumsum(lengths)[:-1]])
    chosen = rng.integers(0, len(paths), events)  # more than enough: no path is empty
    visits = int(np.searchsorted(np.cumsum(lengths[chosen]), events)) + 1
    chosen = chosen[:visits]
    of_event = np.repeat(np.arange(visits), lengths[chosen])[:events]
    first = np.concatenate([[0], np.cumsum(lengths[chosen])[:-1]])
    place = np.arange(events) - first[of_event]
    code = np.concatenate(paths)[starts[chosen][of_event] + place]
    # The last hour stays free, so that visits end before the next block begins.
    begin = begin_us + rng.integers(0, max(1, (span_us - 3_600_000_000) // 1000), visits) * 1000
    person = (persons * rng.random(visits) ** skew).astype(np.int64)
    shares = np.array([origin[4] for origin in ORIGINS]) / 100
    return Visits(person, begin, rng.choice(len(ORIGINS), visits, p=shares), of_event, place, code)


def event_times(visits: Visits, rng: np.random.Generator) -> Ints:
    """A visit's first event at its beginning, the others 2 to 60 seconds after the one before."""
    steps = rng.integers(2_000, 60_000, len(visits.of_event)) * 1000
    steps[visits.place == 0] = 0
    passed = np.cumsum(steps)
    since = passed - passed[np.flatnonzero(visits.place == 0)][visits.of_event]
    # The microseconds tell visits of one person apart that happen to go on at the same time.
    return visits.begin_us[visits.of_event] + since + visits.of_event % 1000


def _table(visits: Visits, rng: np.random.Generator) -> pa.Table:
    times = event_times(visits, rng)
    order = np.argsort(times, kind="stable")
    of_event, place, code = visits.of_event[order], visits.place[order], visits.code[order]
    person = visits.person[of_event]
    device = person * 3 + visits.begin_us[of_event] // 1000 % 3 * (person % 4 == 0)
    knows = (visits.begin_us[of_event] // 1_000_000 + person) % 5 < 2
    landing = place == 0
    origin = np.where(landing, visits.origin[of_event], 0)
    product = (20_000 * rng.random(len(code)) ** 3).astype(np.int64)
    path = page_paths(code, product)
    query = pc.if_else(
        pc.match_substring(path, "?"),
        pc.replace_substring(campaign_queries(origin), "?", "&"),
        campaign_queries(origin),
    )
    has_value = np.isin(code, [NAMES.index(name) for name in ("Product Added", "Order Completed")])
    value = np.round(5 + 200 * rng.random(len(code)) ** 2, 2)
    return pa.table(
        {
            "message_id": uuids(rng, len(code)),
            "event": pa.array(NAMES).take(pa.array(code)),
            "timestamp": pa.array(times[order]).cast(pa.timestamp("us", tz="UTC")),
            "user_id": numbered("u", person, ~knows),
            "anonymous_id": numbered("a-", device * 7919 % 2**40, np.zeros(len(code), np.bool_)),
            "url": pc.binary_join_element_wise(HOST, path, query, ""),
            "referrer": referrers(origin, landing),
            "utm_source": origin_column(0, origin),
            "utm_medium": origin_column(1, origin),
            "utm_campaign": origin_column(2, origin),
            "value": pa.array(value, mask=~has_value),
            "currency": pc.if_else(pa.array(has_value), "EUR", pa.scalar(None, pa.string())),
        }
    )


def page_paths(code: Ints, product: Ints) -> pa.Array:
    before = pa.array([CHAIN[name][0].partition("{}")[0] for name in NAMES]).take(pa.array(code))
    after = pa.array([CHAIN[name][0].partition("{}")[2] for name in NAMES]).take(pa.array(code))
    has = pa.array(["{}" in CHAIN[name][0] for name in NAMES]).take(pa.array(code))
    number = pc.if_else(has, pa.array(product).cast(pa.string()), "")
    return pc.binary_join_element_wise(before, number, after, "")


def campaign_queries(origin: Ints) -> pa.Array:
    texts = []
    for source, medium, campaign, _, _ in ORIGINS:
        named = {"utm_source": source, "utm_medium": medium, "utm_campaign": campaign}
        query = "&".join(f"{key}={value}" for key, value in named.items() if value)
        texts.append(f"?{query}" if query else "")
    return pa.array(texts).take(pa.array(origin))


def referrers(origin: Ints, landing: npt.NDArray[np.bool_]) -> pa.Array:
    return pc.if_else(pa.array(landing), origin_column(3, origin), f"{HOST}/")


def origin_column(part: int, origin: Ints) -> pa.Array:
    return pa.array([str(entry[part]) or None for entry in ORIGINS], pa.string()).take(pa.array(origin))


def numbered(prefix: str, numbers: Ints, missing: npt.NDArray[np.bool_]) -> pa.Array:
    texts = pa.array(numbers + 1_000_000, mask=missing).cast(pa.string())
    return pc.binary_join_element_wise(prefix, texts, "")


def uuids(rng: np.random.Generator, n: int) -> pa.Array:
    """Random UUIDs (version 4) as text."""
    raw = rng.integers(0, 256, (n, 16), dtype=np.uint8)
    raw[:, 6] = raw[:, 6] & 0x0F | 0x40
    raw[:, 8] = raw[:, 8] & 0x3F | 0x80
    digits = np.frombuffer(b"0123456789abcdef", np.uint8)
    text = np.full((n, 36), ord("-"), np.uint8)
    columns = [i for i in range(36) if i not in (8, 13, 18, 23)]
    text[:, columns[0::2]] = digits[raw >> 4]
    text[:, columns[1::2]] = digits[raw & 15]
    offsets = np.arange(0, 36 * n + 1, 36, dtype=np.int32)
    return pa.StringArray.from_buffers(n, pa.py_buffer(offsets), pa.py_buffer(np.ascontiguousarray(text)))


def write_parquet(path: Path, tables: Iterator[pa.Table]) -> None:
    """Write the tables as one Parquet file."""
    writer: pq.ParquetWriter | None = None
    for table in tables:
        if writer is None:
            writer = pq.ParquetWriter(path, table.schema, compression="zstd")
        writer.write_table(table, row_group_size=262_144)
    if writer is not None:
        writer.close()


def write_csv(path: Path, tables: Iterator[pa.Table]) -> None:
    """Write the tables as one CSV file, times as ISO texts."""
    with path.open("wb") as stream:
        for number, table in enumerate(tables):
            times = pc.strftime(table.column("timestamp"), "%Y-%m-%dT%H:%M:%SZ")
            table = table.set_column(2, "timestamp", times)
            options = pyarrow.csv.WriteOptions(include_header=number == 0, quoting_style="needed")
            pyarrow.csv.write_csv(table, stream, options)


def write_segment(path: Path, tables: Iterator[pa.Table]) -> None:
    """Write the tables as Segment messages, one a line."""
    with path.open("w", encoding="utf-8") as stream:
        for table in tables:
            for row in table.to_pylist():
                stream.write(json.dumps(_message(row), separators=(",", ":")) + "\n")


def _message(row: dict[str, object]) -> dict[str, object]:
    time = str(row["timestamp"]).replace(" ", "T").replace("+00:00", "Z")
    campaign = {"source": row["utm_source"], "medium": row["utm_medium"], "name": row["utm_campaign"]}
    page = {"url": row["url"], "referrer": row["referrer"], "path": str(row["url"]).removeprefix(HOST)}
    context: dict[str, object] = {"page": page, "locale": "it-IT", "library": {"name": "analytics.js", "version": "5"}}
    if row["utm_source"]:
        context["campaign"] = {key: value for key, value in campaign.items() if value}
    message: dict[str, object] = {
        "messageId": row["message_id"],
        "type": "track",
        "event": row["event"],
        "anonymousId": row["anonymous_id"],
        "originalTimestamp": time,
        "sentAt": time,
        "receivedAt": time,
        "timestamp": time,
        "context": context,
        "properties": {} if row["value"] is None else {"value": row["value"], "currency": row["currency"]},
    }
    return message if row["user_id"] is None else {**message, "userId": row["user_id"]}


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.generate", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--persons", type=int, default=0, help="default: one for twenty events")
    parser.add_argument("--text", action="store_true", help="also CSV and Segment NDJSON")
    options = parser.parse_args(arguments)
    persons = options.persons or max(1, options.events // 20)
    options.folder.mkdir(parents=True, exist_ok=True)
    write_parquet(options.folder / "events.parquet", event_tables(options.events, persons))
    (options.folder / "mapping.toml").write_text(MAPPING, encoding="utf-8")
    if options.text:
        write_csv(options.folder / "events.csv", event_tables(options.events, persons))
        write_segment(options.folder / "events.ndjson", event_tables(options.events, persons))


if __name__ == "__main__":
    main()
