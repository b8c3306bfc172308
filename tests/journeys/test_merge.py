"""Merged buckets have the bytes of buckets built at once, and rows read back those of rows from the lake."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from percorso.events.event import EVENT_SCHEMA
from percorso.identity.scan import message_keys
from percorso.journeys.bucket import prepare_rows
from percorso.journeys.bucket_rules import bucket_rules
from percorso.journeys.coding import READ_COLUMNS, TEXT_SCHEMA, Coder
from percorso.journeys.merge import merge_tables
from percorso.journeys.reread import REREAD_ELSEWHERE, Words, reread_rows
from percorso.journeys.shuffle import pack_records, record_type
from percorso.journeys.tables import bucket_tables
from percorso.journeys.write import write_bucket
from percorso.settings import BuildSettings, Settings
from percorso.store import log_files
from percorso.store.cold import Cold, month_of_time
from percorso.store.columns import string_buffers
from percorso.store.files import AnyPath, make_folder
from percorso.store.journey_log import Bucket
from tests.lake_builder import event

SETTINGS = Settings(build=BuildSettings(coded_properties=("color",), heavy_person_events=6))
SOURCES = ("email", "pos", "server", "web")
RECORD = record_type(SETTINGS.build.coded_properties)


@dataclass(frozen=True)
class Placed:
    """A row of the lake and whose it is; None: nobody's."""

    row: dict[str, Any]
    person: str | None


# ---------------------------------------------------------------------------------------------- by hand to the tables


def person_id(name: str) -> bytes:
    return hashlib.blake2b(name.encode(), digest_size=16).digest()


def ids_of(names: Iterable[str]) -> npt.NDArray[np.uint8]:
    return np.frombuffer(b"".join(sorted(map(person_id, names))), dtype=np.uint8).reshape(-1, 16)


def key_of(row: Mapping[str, Any]) -> int:
    return int(message_keys(row["source"], pa.array([row["message_id"]], pa.string()))[0, 0])


def stand_ins(placed: list[Placed], persons: list[bytes]) -> dict[str, npt.NDArray[Any]]:
    """What identity says of the rows: REREAD_ELSEWHERE."""
    rows = [one.row for one in placed]
    times = [row["timestamp"].replace(tzinfo=None) for row in rows]

    def number(name: str) -> npt.NDArray[np.int64]:
        """A number for each value of a column; 0: none."""
        values = [row.get(name) for row in rows]
        return np.array(
            [int.from_bytes(str(value).encode()[:4], "big") if value else 0 for value in values], dtype=np.int64
        )

    return {
        "row": np.arange(len(rows)),
        "key": np.array([key_of(row) for row in rows], dtype=np.uint64),
        "person": np.array(
            [persons.index(person_id(one.person)) if one.person else -1 for one in placed], dtype=np.int32
        ),
        "time": np.array(times, dtype="datetime64[us]").astype(np.int64),
        "future": np.array([row["timestamp"].day == 28 for row in rows], dtype=np.uint8),
        "placing": np.array([6 if one.person else 0 for one in placed], dtype=np.uint8),
        "device_code": (number("anonymous_id") % 3).astype(np.int32),
        "sequence": np.array([row["sequence"] for row in rows], dtype=np.int64),
        "source": np.array([SOURCES.index(row["source"]) for row in rows], dtype=np.int16),
        "copy": np.array([row["source"] == "pos" for row in rows], dtype=np.uint8),
        "order_ref": number("order_id"),
        "conversation": number("ticket_id"),
        **{name: np.zeros(len(rows), dtype=np.int64) for name in ("cart_ref", "checkout_ref", "session_ref")},
    }


def from_lake(placed: list[Placed], coder: Coder) -> tuple[list[Placed], dict[str, npt.NDArray[Any]], pa.Table]:
    """Rows as the coder codes them, source by source."""
    ordered = sorted(placed, key=lambda one: one.row["source"])
    numbers: list[dict[str, npt.NDArray[Any]]] = []
    texts: list[pa.Table] = []
    for source in SOURCES:
        rows = [one.row for one in ordered if one.row["source"] == source]
        table = pa.Table.from_pylist(rows, schema=EVENT_SCHEMA).select(READ_COLUMNS).combine_chunks()
        batch = table.to_batches()[0] if rows else pa.RecordBatch.from_pylist([], schema=table.schema)
        coded = coder.code(batch, source)
        numbers.append(coded)
        columns = {name: batch.column(name) for name in ("traits", "items")}
        columns |= {"order_key": coder.order_keys(batch, coded["qualifies"])}
        columns |= {"details": coder.details(batch, coded["event"])}
        texts.append(pa.table(columns, schema=TEXT_SCHEMA))
    joined = {name: np.concatenate([part[name] for part in numbers]) for name in numbers[0]}
    return ordered, joined, pa.concat_tables(texts)


def from_log(
    placed: list[Placed], bucket: Bucket, coder: Coder
) -> tuple[list[Placed], dict[str, npt.NDArray[Any]], pa.Table]:
    """The same rows, those that the bucket has read back from it."""
    at = {key: row for row, key in enumerate(bucket.events.values("key").tolist())}
    known = [one for one in placed if key_of(one.row) in at]
    rows = np.array([at[key_of(one.row)] for one in known], dtype=np.int64)
    read, read_texts = reread_rows(bucket, rows, Words.of_buckets([bucket], coder))
    assert sorted([*read, *REREAD_ELSEWHERE]) == sorted(RECORD.names or ())
    ordered, numbers, texts = from_lake([one for one in placed if key_of(one.row) not in at], coder)
    assert read_texts.schema == texts.schema
    joined = {name: np.concatenate([values, numbers[name]]) for name, values in read.items()}
    return [*known, *ordered], joined, pa.concat_tables([read_texts, texts])


def tables_of(placed: list[Placed], source: Bucket | None = None) -> dict[str, pa.RecordBatch]:
    """Tables of the rows: all of persons, or all of nobody; read back from a bucket as far as it has them."""
    coder = Coder(SETTINGS, b"k" * 32)
    ordered, numbers, texts = from_log(placed, source, coder) if source else from_lake(placed, coder)
    persons = sorted({person_id(one.person) for one in ordered if one.person})
    numbers |= stand_ins(ordered, persons)
    assert set(numbers) >= set(RECORD.names or ())
    shuffled = np.random.default_rng(len(ordered)).permutation(len(ordered))

    def ids(rows: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.uint8]]:
        return string_buffers(pa.array([ordered[row].row["message_id"] for row in rows.tolist()], pa.large_string()))

    records = pack_records(numbers, len(ordered), RECORD)[shuffled]
    return bucket_tables(
        prepare_rows(records, texts.take(pa.array(shuffled)), len(persons), 0, SETTINGS, ids),
        bucket_rules(SETTINGS, coder, SOURCES),
        person_ids=np.frombuffer(b"".join(persons), dtype=np.uint8).reshape(-1, 16),
        identified=np.array([person[0] % 2 for person in persons], dtype=np.uint8),
    )


def written(tables: Mapping[str, pa.RecordBatch], folder: AnyPath) -> Bucket:
    make_folder(folder)
    return Bucket(folder, write_bucket(0, tables, folder), Cold(folder, {}))


def merged(folder: Path, before: list[Placed], after: list[Placed], *, extra: set[str], reread: bool) -> Bucket:
    """The bucket of `before`, brought to `after` by building the persons (or months) anew that differ, and `extra`."""
    old = written(tables_of(before), folder)
    nobodys = any(one.person is None for one in [*before, *after])

    def group(one: Placed) -> Any:
        return month_of(one) if nobodys else one.person

    sets = [{(group(one), json.dumps(one.row, default=str)) for one in rows} for rows in (before, after)]
    touched = {key for key, _ in sets[0] ^ sets[1]} | (set() if nobodys else extra)
    fragment = tables_of([one for one in after if group(one) in touched], old if reread else None)
    return written(
        merge_tables(old, fragment, np.array(sorted(touched), dtype=np.int64) if nobodys else ids_of(touched)), folder
    )


def month_of(one: Placed) -> int:
    return int(month_of_time(stand_ins([one], [person_id(one.person)] if one.person else [])["time"])[0])


# ---------------------------------------------------------------------------------------------- random histories

NAMES = ["Page Viewed", "Product Viewed", "Product Added", "Order Completed", "Order Refunded", "Identify", "Chat"]
NAMES += ["Order Shipped", "Ticket Opened", "Unsubscribed", "Survey Answered"]
ITEMS = [
    None,
    [],
    [{"product_id": "p1", "price": 5}, {"sku": "è"}],
    [{"product_id": "p2", "name": "z", "quantity": 2.0}],
]
PROPERTIES = [
    '{"reason":"late è","duration":12.5,"auto":true}',
    '{"promised_at":"2024-01-05","survey":"NPS","name":"after purchase","scale":10}',
    '{"promised_at":"2024-02-01T10:00:00Z","reason":"x@y.it asks","sms_consent":"no"}',
]
TRAITS = [None, None, "{}", '{"plan":"a"}', '{"plan":null,"b":{"z":1,"a":2}}', '{"email":"x@y.it"}', '{"Size":1.50}']


@st.composite
def rows(draw: st.DrawFn, number: int) -> dict[str, Any]:
    source = draw(st.sampled_from(SOURCES))
    month, day = draw(st.sampled_from(["2023-12", "2024-01", "2024-02"])), draw(st.sampled_from([1, 2, 28]))
    return event(
        f"{month}-{day:02d}T10:{draw(st.sampled_from([0, 1, 59])):02d}:00",
        draw(st.sampled_from(NAMES)),
        source=source,
        source_kind=source,
        message_id=f"m{number}",
        type="track",
        anonymous_id=draw(st.sampled_from([None, "a1", "a2"])),
        order_id=draw(st.sampled_from([None, "o1", "o2"])),
        ticket_id=draw(st.sampled_from([None, None, "t1"])),
        url=draw(
            st.sampled_from([None, "https://shop.example/p/1?utm_source=x&utm_medium=cpc", "https://shop.example/é"])
        ),
        referrer=draw(st.sampled_from([None, "https://www.google.com/"])),
        utm_medium=draw(st.sampled_from([None, "cpc"])),
        utm_campaign=draw(st.sampled_from([None, "ö", "z", "to-anna@example.org"])),
        product_id=draw(st.sampled_from([None, "p", "p2", "q"])),
        traits=draw(st.sampled_from(TRAITS)),
        items=draw(st.sampled_from(ITEMS)),
        properties=draw(st.sampled_from([None, '{"color":"red"}', '{"color":["ü"]}', *PROPERTIES])),
        consent=draw(st.sampled_from([None, None, '{"email":true}', '{"analytics":true}'])),
        loyalty_id=draw(st.sampled_from([None, "L1"])),
        user_agent=draw(
            st.sampled_from([None, "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"])
        ),
        value=draw(st.sampled_from([None, 100])),
        score=draw(st.sampled_from([None, 4.5])),
        text=draw(st.sampled_from([None, "", "bello"])),
        sequence=number % 2,
    )


@st.composite
def changes(draw: st.DrawFn, persons: list[str | None]) -> tuple[list[Placed], list[Placed]]:
    """Rows before and after: some come, some go, some change hands."""
    before, after = [], []
    for number in range(draw(st.integers(0, 14))):
        row = draw(rows(number))
        owner = draw(st.sampled_from(persons))
        fate = draw(st.sampled_from(["stays", "stays", "stays", "comes", "goes", "moves"]))
        if fate != "comes":
            before.append(Placed(row, owner))
        if fate != "goes":
            after.append(Placed(row, draw(st.sampled_from(persons)) if fate == "moves" else owner))
    return before, after


def check(folder: Path, before: list[Placed], after: list[Placed], extra: set[str], reread: bool) -> None:
    found = merged(folder, before, after, extra=extra, reread=reread)
    assert found.meta == written(tables_of(after), folder).meta


PERSONS = ["anna", "bruno", "carla", "dino", "elsa"]


@settings(max_examples=60, deadline=None)
@given(changes([*PERSONS]), st.sets(st.sampled_from([*PERSONS, "nobody known"])), st.booleans())
def test_merged_persons_have_the_bytes_of_a_full_build(
    tmp_path_factory: pytest.TempPathFactory,
    histories: tuple[list[Placed], list[Placed]],
    extra: set[str],
    reread: bool,
) -> None:
    check(tmp_path_factory.mktemp("merge"), *histories, extra, reread)


@settings(max_examples=30, deadline=None)
@given(changes([None]), st.booleans())
def test_merged_months_of_nobody_have_the_bytes_of_a_full_build(
    tmp_path_factory: pytest.TempPathFactory, histories: tuple[list[Placed], list[Placed]], reread: bool
) -> None:
    check(tmp_path_factory.mktemp("merge"), *histories, set(), reread)


@settings(max_examples=30, deadline=None)
@given(changes(["anna", "bruno", "carla"]))
def test_rows_read_back_build_the_same_bytes(
    tmp_path_factory: pytest.TempPathFactory, histories: tuple[list[Placed], list[Placed]]
) -> None:
    bucket = written(tables_of(histories[0]), tmp_path_factory.mktemp("reread"))
    assert written(tables_of(histories[0], bucket), bucket.folder).meta == bucket.meta


# ---------------------------------------------------------------------------------------------- cases


def visit(at: str, person: str | None, **fields: Any) -> Placed:
    return Placed(event(at, "Product Viewed", **fields), person)


@pytest.mark.parametrize("reread", [False, True])
@pytest.mark.parametrize(
    ("kept", "before", "after"), [(250, 6, 7), (250, 7, 6), (250, 6, 5), (0, 256, 257), (256, 1, 0)]
)
def test_codes_that_outgrow_their_type_or_shrink(
    tmp_path: Path, kept: int, before: int, after: int, reread: bool
) -> None:
    """Around 256 values: `elsa` has `kept` products of her own, `anna` her `before`, then her `after`."""

    def history(products: int) -> list[Placed]:
        elsas = [visit("2024-01-01T10:00:00", "elsa", product_id=f"e{number}") for number in range(kept)]
        annas = [visit("2024-01-01T10:00:00", "anna", product_id=f"a{number}") for number in range(products)]
        return elsas + annas

    check(tmp_path, history(before), history(after), set(), reread)


@pytest.mark.parametrize("reread", [False, True])
def test_from_nothing_to_nothing(tmp_path: Path, reread: bool) -> None:
    some = [visit("2024-01-01T10:00:00", "anna"), visit("2024-02-01T10:00:00", "bruno")]
    for person in ("anna", None):
        mine = [replace(one, person=person) for one in some]
        check(tmp_path, [], mine, set(), reread)
        check(tmp_path, mine, [], set(), reread)


def test_an_event_keeps_what_brought_itself_beside_what_brought_its_session(tmp_path: Path) -> None:
    first = visit("2024-01-01T10:00:00", "anna", utm_source="x", utm_medium="cpc")
    second = visit("2024-01-01T10:01:00", "anna", url="https://shop.example/b")
    bucket = written(tables_of([first, second]), tmp_path)
    channels, own = (
        column.to_pylist() for column in (bucket.events.arrow("channel"), bucket.events.arrow("own_channel"))
    )
    assert channels[0] == channels[1] == own[0] != own[1]
    check(tmp_path, [first, second], [second], set(), reread=True)


def test_contacts_of_nobody_end_with_their_month(tmp_path: Path) -> None:
    """One talk over New Year would else number the contacts of February by what January holds."""
    talk = [
        visit(f"2024-{day}:00:00", None, source="server", source_kind="chat", ticket_id="t")
        for day in ("01-31T22", "01-31T23", "02-01T00", "02-01T01")
    ]
    contacts = written(tables_of(talk), tmp_path).events.values("contact").tolist()
    assert contacts == [0, 0, 1, 1]
    check(tmp_path, talk[1:], talk, set(), reread=False)
    check(tmp_path, talk, talk[2:], set(), reread=True)


def test_texts_beyond_32_bits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As if 32 bits could address 40 bytes: months, and merges, go from narrow to wide and back."""
    monkeypatch.setattr(log_files, "MOST_TEXT_BYTES", 40)
    short = [visit("2024-01-01T10:00:00", name, title="t") for name in ("anna", "bruno")]
    long = [*short, visit("2024-01-01T10:00:01", "anna", title="t" * 50)]
    for reread in (False, True):
        check(tmp_path, short, long, set(), reread)
        check(tmp_path, long, short, set(), reread)


def test_a_person_cannot_be_on_both_sides(tmp_path: Path) -> None:
    rows_ = [visit("2024-01-01T10:00:00", "anna"), visit("2024-01-01T10:00:00", "bruno")]
    old = written(tables_of(rows_), tmp_path)
    with pytest.raises(ValueError, match="stays in the old bucket"):
        merge_tables(old, tables_of(rows_), ids_of(["anna"]))
