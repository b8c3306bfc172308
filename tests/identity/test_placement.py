"""Placing events on persons: against the plain twin, and the cases that the rules name."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from percorso.identity.identifiers import IdentifierRules
from percorso.identity.placement import PLACING_RULES, Placement, place_rows
from percorso.identity.rows import scan_rows
from percorso.settings import IdentitySettings
from tests.lake_builder import event, lake_files
from tests.naive import placing as naive

DAY = 86_400_000_000
SECRET = bytes(range(32))
START = datetime(2024, 3, 1, tzinfo=UTC)


def place(
    folder: Path, rows: list[dict[str, Any]], memory_bytes: int = 1 << 30, **options: Any
) -> tuple[list[str], Placement]:
    """Message ids in the order of the lake, and where they were placed."""
    files = lake_files(folder / "lake", rows, **options)
    scanned, strong, weak = scan_rows(files, folder / "rows", IdentifierRules(IdentitySettings(), "IT"), aliases={})
    placement = place_rows(scanned, strong, weak, secret=SECRET, backfill_us=90 * DAY, memory_bytes=memory_bytes)
    offsets, text = scanned.text()
    ids = [bytes(text[a:b]).decode() for a, b in pairwise(offsets)]
    return ids, placement


def placed(folder: Path, rows: list[dict[str, Any]], **options: Any) -> dict[str, tuple[str, str]]:
    """Message id -> (rule, person id in hex), duplicates left out."""
    ids, found = place(folder, rows, **options)
    return {
        message: (PLACING_RULES[rule], found.person_ids[person].tobytes().hex() if person >= 0 else "")
        for message, person, rule in zip(ids, found.person, found.rule, strict=True)
        if person != -2
    }


@st.composite
def histories(draw: st.DrawFn) -> list[naive.Row]:
    time, rows = 0, []
    for number in range(draw(st.integers(1, 14))):
        time += draw(st.sampled_from([0, 0, 1, 89, 90, 91]))
        anonymous = draw(st.sampled_from([None, "a1", "a2"]))
        device = draw(st.sampled_from([None, "d1"]))
        strong = draw(st.sampled_from([None, None, "u1", "u2"]))
        out = draw(st.integers(0, 5)) == 0
        rows.append(naive.Row((time, f"m{draw(st.integers(0, 9))}{number}"), strong, anonymous, device, out))
    return rows


@settings(max_examples=250, deadline=None)
@given(histories(), st.integers(0, 5))
def test_equals_the_plain_twin(tmp_path_factory: pytest.TempPathFactory, rows: list[naive.Row], seed: int) -> None:
    folder = tmp_path_factory.mktemp("place")
    events = [
        event(
            (START + timedelta(days=row.position[0])).replace(tzinfo=None),
            "Signed Out" if row.signed_out else "Page Viewed",
            message_id=row.position[1],
            user_id=row.strong,
            anonymous_id=row.anonymous,
            device_id=row.device,
        )
        for row in rows
    ]
    told = naive.owners(rows, 90)
    # Little memory: the work is done in several parts.
    found = placed(folder, events, files=2, seed=seed, memory_bytes=300)
    assert [found[row.position[1]][0] for row in rows] == [rule for rule, _ in told]
    # Persons are equal exactly where owners are.
    keys = [("strong" if r in ("strong", "login_before", "login_after", "signed_out_same") else r, o) for r, o in told]
    persons = [found[row.position[1]][1] for row in rows]
    for i, key in enumerate(keys):
        for j in range(i):
            if "unidentified" not in (key[0], keys[j][0]):
                assert (persons[i] == persons[j]) == (key == keys[j])


def test_space_keeps_till_and_web_customers_apart(tmp_path: Path) -> None:
    rows = [
        event("2024-03-01T10:00:00", "Page Viewed", message_id="w", user_id="1042"),
        event("2024-03-01T11:00:00", "Order Completed", message_id="t", user_id="1042", source="till", id_space="till"),
        event("2024-03-01T12:00:00", "Page Viewed", message_id="e1", email="Anna@Example.it "),
        event("2024-03-01T12:00:00", "Order Completed", message_id="e2", email="anna@example.it", id_space="till"),
    ]
    found = placed(tmp_path, rows)
    assert found["w"][1] != found["t"][1]
    assert found["e1"][1] == found["e2"][1]


def test_blocked_identifiers_are_nobody(tmp_path: Path) -> None:
    rows = [
        event("2024-03-01T10:00:00", "Page Viewed", message_id=f"m{number}", user_id=value)
        for number, value in enumerate(["null", " NULL ", "0000-000", "-1", "undefined", "[object Object]", ""])
    ]
    assert {rule for rule, _ in placed(tmp_path, rows).values()} == {"unidentified"}


def test_of_conflicting_copies_the_least_counts(tmp_path: Path) -> None:
    late = event("2024-03-01T10:00:00", "A", message_id="m", user_id="late", received_at="2024-03-02T00:00:00")
    soon = event("2024-03-01T10:00:00", "A", message_id="m", user_id="soon", received_at="2024-03-01T11:00:00")
    none = event("2024-03-01T10:00:00", "A", message_id="m", user_id="none")
    alone = placed(tmp_path / "alone", [soon])
    for seed in range(6):
        rows = [late, soon, none, soon]
        random.Random(seed).shuffle(rows)
        ids, found = place(tmp_path / str(seed), rows, files=2)
        assert found.n_duplicates == 3
        assert placed(tmp_path / f"again{seed}", rows, files=2) == alone
        assert len(ids) == 4


def test_a_device_with_a_wrong_clock_is_set_right(tmp_path: Path) -> None:
    hour = timedelta(hours=1)

    def sent(at: str, message: str, delay: int, offset: timedelta, device: str = "d1") -> dict[str, Any]:
        real = datetime.fromisoformat(at)
        return event(
            real - offset,
            "Page Viewed",
            message_id=message,
            anonymous_id=device,
            sent_at=(real - offset).isoformat(),
            received_at=(real + timedelta(seconds=delay)).isoformat(),
        )

    rows = [
        sent("2024-03-01T10:00:00", "slow", 30, hour),
        sent("2024-03-01T10:05:00", "quick", 2, hour),
        sent("2024-03-01T10:00:00", "right", 40, timedelta(0), "d2"),
    ]
    ids, found = place(tmp_path, rows)
    times = dict(zip(ids, found.time.tolist(), strict=True))
    base = int(datetime(2024, 3, 1, 10, tzinfo=UTC).timestamp()) * 1_000_000
    # The smallest delay is the offset: two seconds too much, the same for all, so that nothing swaps.
    assert times["slow"] == base + 2_000_000
    assert times["quick"] == base + 302_000_000
    assert times["right"] == base


def test_a_time_in_the_future_is_placed_at_its_arrival(tmp_path: Path) -> None:
    rows = [event("2030-01-01T00:00:00", "A", message_id="m", user_id="u", received_at="2024-03-01T10:00:00")]
    _, found = place(tmp_path, rows)
    assert found.future.tolist() == [1]
    assert found.time.tolist() == [int(datetime(2024, 3, 1, 10, tzinfo=UTC).timestamp()) * 1_000_000]


def test_person_ids_are_keyed_and_sorted(tmp_path: Path) -> None:
    rows = [event("2024-03-01T10:00:00", "A", message_id=str(n), user_id=f"u{n}") for n in range(50)]
    _, found = place(tmp_path, rows)
    ids = [bytes(row) for row in found.person_ids]
    assert ids == sorted(ids)
    assert np.unique(found.person).tolist() == list(range(50))
