"""Look-ups find what the build finds: the same normal forms, the same best identifier, the same hashes."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from percorso.analyses.person_messages import persons_of_messages
from percorso.events.event import STRONG_COLUMNS, WEAK_COLUMNS
from percorso.identity.identifiers import IdentifierRules
from percorso.identity.lookup import (
    IDENTIFIER_READ,
    Identifier,
    aliases_of,
    identifiers_of,
    known_spaces,
    messages_with,
    possible_identifiers,
    rows_of_messages,
    rows_with,
)
from percorso.identity.masking import mask
from percorso.identity.placement import person_id
from percorso.services.build import fresh_log
from percorso.settings import IdentitySettings
from tests.lake_builder import event, lake_files
from tests.workspaces import make_workspace

RULES = IdentifierRules(IdentitySettings(), "IT")
SECRET = bytes(range(32))
KINDS = (*STRONG_COLUMNS, "club", *WEAK_COLUMNS)

values = {
    "user_id": st.sampled_from([None, "1042", " 1042", "guest", "x"]),
    "loyalty_id": st.sampled_from([None, "ab 1", "AB1", "0000"]),
    "email": st.sampled_from([None, "A@b.it", "a@b.it", "no address"]),
    "phone": st.sampled_from([None, "347 123 4567", "+39 3471234567", "0039 347 1234567", "12"]),
    "card_token": st.sampled_from([None, "t1", "T1"]),
    "other_ids": st.sampled_from([None, '{"club":"7"}', '{"club":7,"age":null}']),
    "anonymous_id": st.sampled_from([None, "b1", "B1"]),
    "device_id": st.sampled_from([None, "d1"]),
    "id_space": st.sampled_from(["shop", "till"]),
}
rows = st.lists(st.fixed_dictionaries(values), min_size=1, max_size=8)


def written(folder: Path, given_rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        event(f"2024-03-01T10:{i // 60:02d}:{i % 60:02d}", "A", message_id=f"m{i}", **row)
        for i, row in enumerate(given_rows)
    ]


def test_the_best_identifier_of_a_row_is_the_builds(tmp_path: Path) -> None:
    """Rows that have no identifier in common: each is a person, who is known by the best identifier of the row."""
    chance = random.Random(3)
    choices: dict[str, list[str | None]] = {
        "user_id": [None, None, " u{}", "guest"],
        "loyalty_id": [None, None, "ab {}", "0000"],
        "email": [None, None, "A{}@b.it", "no address"],
        "phone": [None, None, "347 1234{}", "12"],
        "card_token": [None, None, "t{}"],
        "other_ids": [None, None, '{{"club":"c{}"}}', '{{"club":{},"age":null}}'],
        "anonymous_id": [None, "b{}"],
        "device_id": [None, "d{}"],
        "id_space": ["shop", "till"],
    }
    every = written(
        tmp_path,
        [
            {name: text and text.format(at) for name, texts in choices.items() for text in [chance.choice(texts)]}
            for at in range(100, 300)
        ],
    )
    shop = make_workspace(tmp_path / "shop", every)
    shop = replace(shop, settings=replace(shop.settings, identity=replace(shop.settings.identity, own_types=("club",))))
    carried = [identifiers_of({name: row.get(name) for name in IDENTIFIER_READ}, RULES) for row in every]
    best = {("web", row["message_id"]): ones[0] for row, ones in zip(every, carried, strict=True) if ones}
    assert {one.kind for one in best.values()} == set(KINDS)
    found = {message: where.person for where, ones in persons_of_messages(fresh_log(shop), best) for message in ones}
    assert found == {message: person_id(shop.secret, one.text()).hex() for message, one in best.items()}


@settings(max_examples=60, deadline=None)
@given(rows, st.sampled_from(["1042", "ab1", "a@B.it", "+393471234567", "T1", "7", "b1", "d1"]))
def test_rows_with_an_identifier_are_all_that_carry_it(
    tmp_path_factory: pytest.TempPathFactory, some: list[dict[str, Any]], text: str
) -> None:
    every = written(tmp_path_factory.mktemp("carry"), some)
    files = lake_files(tmp_path_factory.mktemp("lake"), every, files=2)
    wanted = set(possible_identifiers(text, RULES, kinds=KINDS, spaces=known_spaces(files)))
    found = {row["message_id"] for _, row in rows_with(files, wanted, RULES)}
    plain = [{name: row.get(name) for name in IDENTIFIER_READ} for row in every]
    assert found == {row["message_id"] for row in plain if wanted & set(identifiers_of(row, RULES))}
    carried: dict[Identifier, set[str]] = {}
    for one, source, messages in messages_with(files, wanted, RULES):
        assert source == "web"
        carried.setdefault(one, set()).update(messages)
    expected = {one: {row["message_id"] for row in plain if one in identifiers_of(row, RULES)} for one in wanted}
    assert carried == {one: ids for one, ids in expected.items() if ids}


def test_an_identifier_is_sought_in_the_spaces_of_the_lake(tmp_path: Path) -> None:
    files = lake_files(
        tmp_path, [event("2024-03-01T10:00:00", "A", id_space=space, source=space) for space in ("till", "shop")]
    )
    assert known_spaces(files) == ("shop", "till")
    found = possible_identifiers("7", RULES, kinds=("user_id", "email", "phone"), spaces=("shop", "till"))
    assert found == (Identifier("user_id", "shop", "7"), Identifier("user_id", "till", "7"))
    assert possible_identifiers("a@b.it", RULES, kinds=("email",), spaces=("shop",)) == (
        Identifier("email", "", "a@b.it"),
    )


def test_aliases_are_the_hashes_of_persons() -> None:
    ones = (Identifier("user_id", "shop", "7"), Identifier("email", "", "ü@b.it"))
    assert [row.tobytes() for row in aliases_of(ones, SECRET)] == [person_id(SECRET, one.text()) for one in ones]
    assert aliases_of((), SECRET).shape == (0, 16)


def test_rows_of_messages_are_found_whatever_their_time(tmp_path: Path) -> None:
    every = [
        event("2024-03-01T10:00:00", "A", message_id="near", user_id="u"),
        event("1970-01-01T00:00:00", "A", message_id="far", user_id="u"),
        event("2024-03-01T10:00:00", "A", message_id="near", user_id="x", source="app"),
        event("2024-03-01T10:00:00", "A", message_id="other", user_id="y"),
    ]
    files = lake_files(tmp_path, every, files=2)
    noon = 1_709_287_200_000_000
    found = rows_of_messages(files, {"web": {"near", "far", "lost"}}, first_us=noon, last_us=noon)
    assert sorted((source, row["message_id"], row["user_id"]) for source, row in found) == [
        ("web", "far", "u"),
        ("web", "near", "u"),
    ]
    assert {row["timestamp"] for _, row in found} == {noon, 0}


@pytest.mark.parametrize(
    ("kind", "value", "shown"),
    [
        ("email", "anna@example.it", "a•••@example.it"),
        ("email", "a@b.it", "a•••@b.it"),
        ("phone", "+393471234456", "+39•••••456"),
        ("user_id", "user-42", "u…42"),
        ("user_id", "1042", "…2"),
        ("card_token", "X", "…"),
        ("anonymous_id", "0d1f0a6c-7f7e", "0…7e"),
    ],
)
def test_masks_show_enough_to_recognise_and_too_little_to_learn(kind: str, value: str, shown: str) -> None:
    assert mask(kind, value) == shown
