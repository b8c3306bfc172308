"""The suppression list: which rows of an import stay out, against a plain reading of the rule."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

import pyarrow as pa
import pytest

from percorso.events.event import EVENT_SCHEMA
from percorso.identity.identifiers import IdentifierRules
from percorso.identity.lookup import identifiers_of
from percorso.identity.placement import person_id
from percorso.identity.suppression import Suppression, cut_text, message_text, rejected_text
from percorso.settings import IdentitySettings
from tests.lake_builder import event

SECRET = b"k" * 32
RULES = IdentifierRules(IdentitySettings(own_types=("badge",)), "IT")
NOON = "2024-01-01T12:00"
NOON_US = 1_704_110_400_000_000


def listed(*texts: bytes, until: int = NOON_US, rows: tuple[bytes, ...] = ()) -> Suppression:
    identifiers = {person_id(SECRET, text): until for text in texts}
    hashes = {person_id(SECRET, row) for row in rows}
    return Suppression(identifiers, hashes, RULES, SECRET, own_types=("badge",))


def table(*rows: Mapping[str, Any]) -> pa.Table:
    return pa.Table.from_pylist([dict(row) for row in rows], schema=EVENT_SCHEMA)


def kept(suppression: Suppression, *rows: Mapping[str, Any]) -> list[bool]:
    return [bool(keep) for keep in suppression.admit(table(*rows)).keep]


def test_an_empty_list_lets_everything_in() -> None:
    assert not listed()
    assert kept(listed(), event(NOON, "x", email="a@b.example")) == [True]


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        (b"email\0\0anna@posta.example", {"email": " Anna@Posta.example "}),
        (b"phone\0\0+393471234567", {"phone": "347 123 4567"}),
        (b"user_id\0shop\x001042", {"user_id": "1042"}),
        (b"anonymous_id\0shop\0cookie", {"anonymous_id": "cookie", "user_id": "bruno"}),
        (b"badge\0shop\0B7", {"other_ids": '{"badge":"B7","else":1}'}),
    ],
)
def test_a_row_with_an_erased_identifier_stays_out(text: bytes, fields: dict[str, Any]) -> None:
    rows = [event(NOON, "x", **fields), event("2024-01-01T12:01", "x", **fields), event(NOON, "x", user_id="other")]
    assert kept(listed(text), *rows) == [False, True, True]  # what is later is of a person who came back


def test_spaces_tell_identifiers_apart() -> None:
    here, there = event(NOON, "x", user_id="1042"), event(NOON, "x", user_id="1042", id_space="till")
    assert kept(listed(b"user_id\0till\x001042"), here, there) == [True, False]


def test_an_erased_message_stays_out() -> None:
    short = message_text("web", "7")
    long = message_text("web", "0123456789abcdef")
    rows = [
        event("2030-01-01", "x", message_id="7"),
        event("2030-01-01", "x", message_id="7", source="till"),
        event("2030-01-01", "x", message_id="0123456789abcdef", source="till"),
    ]
    assert kept(listed(rows=(short, long)), *rows) == [False, True, False]


def test_a_row_that_lost_an_identifier_comes_in_without_it() -> None:
    suppression = listed(b"email\0\0anna@posta.example", rows=(cut_text("web", "7"),))
    fields = {"email": "anna@posta.example", "user_id": "bruno"}
    admission = suppression.admit(table(event(NOON, "x", message_id="7", **fields), event(NOON, "x", **fields)))
    assert admission.keep.tolist() == [True, False]
    assert {name: rows.tolist() for name, rows in admission.cut.items()} == {"email": [True, False]}


@pytest.mark.parametrize(
    ("line", "space", "held"),
    [
        ("a,b", "shop", True),
        ("x,ANNA@posta.example,y", "shop", True),
        ("say hello to anna@posta.example today", "shop", True),
        ("2024-01-01 347/123 4567 called", "shop", True),
        ('{"u":"mrossi"}', "shop", True),
        ("x;mrossi;y", "shop", True),
        ("x;mrossi;y", "till", False),
        ("x;mrossi called;y", "shop", False),
        ("x;12;y", "shop", False),
        ("x;12;1042;y", "shop", True),
        ('{"customer_id":12}', "shop", True),
        ('{"quantity":12}', "shop", False),
        ("a,bruno@posta.example", "shop", False),
    ],
)
def test_rejected_rows(line: str, space: str, held: bool) -> None:
    spaced = [f"user_id\0shop\0{value}".encode() for value in ("12", "1042", "mrossi")]
    suppression = listed(
        b"email\0\0anna@posta.example", b"phone\0\0+393471234567", *spaced, rows=(rejected_text("a,b"),)
    )
    assert suppression.has_rejected(line, spaces=(space,)) is held
    assert suppression.has_rejected(line, spaces=(space,)) is held  # from memory


@pytest.mark.parametrize("kind", ["user_id", "anonymous_id", "device_id"])
def test_an_erased_identifier_that_is_taken_over(kind: str) -> None:
    suppression = listed(f"{kind}\0shop\0anna-7731".encode(), rows=(cut_text("web", "7"),))
    fields = {"user_id": "bruno", "type": "alias", "previous_id": " anna-7731 "}
    rows = [event(NOON, "x", message_id="7", **fields), event(NOON, "x", message_id="8", **fields)]
    admission = suppression.admit(table(*rows, event(NOON, "x", message_id="9", id_space="till", **fields)))
    assert admission.keep.tolist() == [True, False, True]
    assert {name: found.tolist() for name, found in admission.cut.items()} == {"previous_id": [True, False, False]}


def test_it_equals_the_plain_rule() -> None:
    rng = random.Random(7)
    values = {
        "user_id": ["1042", "1043", " 1042 ", "guest"],
        "email": ["a@b.example", "A@B.example", "c@d.example", "none"],
        "phone": ["347 123 4567", "+393471234567", "348 765 4321", "x"],
        "anonymous_id": ["k1", "k2"],
        "other_ids": ['{"badge":"B7"}', '{"badge":"B8"}'],
        "id_space": ["shop", "till"],
    }
    rows = [
        event(
            f"2024-01-01T1{rng.randrange(10)}:00",
            "x",
            message_id=str(number),
            **{name: rng.choice(some) for name, some in values.items() if name == "id_space" or rng.random() < 0.5},
        )
        for number in range(400)
    ]
    columns = ("user_id", "loyalty_id", "email", "phone", "card_token", "anonymous_id", "device_id", "other_ids")
    whole: list[dict[str, Any]] = [{**dict.fromkeys(columns), **row} for row in rows]
    every = sorted({one for row in whole for one in identifiers_of(row, RULES)})
    erased = set(rng.sample(every, len(every) // 2))
    expected = [
        not (erased.intersection(identifiers_of(row, RULES)) and row["timestamp"].timestamp() * 1e6 <= NOON_US)
        for row in whole
    ]
    assert 0 < sum(expected) < len(rows)
    assert kept(listed(*(one.text() for one in erased)), *rows) == expected
