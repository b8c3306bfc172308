"""Found persons against the truth of a made-up shop, and the figures that compare them."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import asdict
from itertools import combinations
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from percorso.events.event import EVENT_SCHEMA
from percorso.settings import IdentitySettings
from tests.identity.compiled import persons_in
from tests.identity.truth import IDENTIFIERS, REFERENCES, SHARED_SOURCES, Metrics, Truth, make_truth, pair_metrics
from tests.naive import identity as naive

I64 = npt.NDArray[np.int64]

SETTINGS = IdentitySettings(shared_sources=SHARED_SOURCES)


def by_the_twin(rows: pa.Table, settings: IdentitySettings, folder: Path) -> I64:
    found = naive.persons_of(rows.to_pylist(), settings)
    return _numbers({key: placed.person_key for key, placed in found.items()}, rows)


def compiled(rows: pa.Table, settings: IdentitySettings, folder: Path) -> I64:
    found = persons_in(rows, settings, folder)
    return _numbers({key: person or None for key, (person, _, _) in found.items()}, rows)


def _numbers(person_of: Mapping[tuple[str, str], Hashable], rows: pa.Table) -> I64:
    """A number for the person of each row, -1 unidentified."""
    keys = zip(rows["source"].to_pylist(), rows["message_id"].to_pylist(), strict=True)
    numbers: dict[Hashable, int] = {None: -1}
    return np.array([numbers.setdefault(person_of[key], len(numbers)) for key in keys])


#: What has to reach the figures, of how many people and of which years; 8,000 people are 200,000 events.
IMPLEMENTATIONS: list[tuple[Callable[[pa.Table, IdentitySettings, Path], I64], int, int]] = [
    (by_the_twin, 4000, 1),
    (compiled, 8000, 1),
    (compiled, 8000, 2),
    (compiled, 8000, 3),
]


@pytest.mark.parametrize(
    ("ask", "n_people", "seed"), IMPLEMENTATIONS, ids=lambda value: getattr(value, "__name__", str(value))
)
def test_persons_are_those_of_the_truth(
    ask: Callable[[pa.Table, IdentitySettings, Path], I64],
    n_people: int,
    seed: int,
    tmp_path: Path,
    record_property: Callable[[str, object], None],
) -> None:
    shop = make_truth(n_people, seed=seed)
    found = pair_metrics(ask(shop.rows, SETTINGS, tmp_path), shop.person, shop.connected)
    for name, value in asdict(found).items():
        record_property(name, round(value, 4))
    print(
        f"{len(shop.rows):,} events of {n_people:,} people: precision {found.precision:.4f}, "
        f"recall over connected pairs {found.recall:.4f}, plain recall {found.plain_recall:.4f}"
    )
    assert found.precision >= 0.99
    assert found.recall >= 0.95


# ------------------------------------------------------------------------------------------ the made-up shop


@pytest.fixture(scope="module")
def shop() -> Truth:
    return make_truth(4000, seed=7)


def shared(shop: Truth, column: str) -> float:
    """Share of a column's values that stand on events of more than one person; the shop's own tablets left out."""
    table = shop.rows.select([column, "source"]).append_column("person", pa.array(shop.person))
    table = table.filter(pc.and_(pc.is_valid(table[column]), pc.not_equal(table["source"], "tablet")))
    people = table.group_by(column).aggregate([("person", "count_distinct")])["person_count_distinct"].to_numpy()
    return float((people > 1).mean())


def test_the_shop_has_the_shares_it_is_made_with(shop: Truth) -> None:
    rows, n_people = shop.rows, len(np.unique(shop.person))
    assert n_people == 4000
    assert 20 * n_people < len(rows) < 35 * n_people
    assert shared(shop, "phone") == pytest.approx(0.03, abs=0.005)
    cookies, apps = shared(shop, "anonymous_id"), shared(shop, "device_id")
    n_cookies, n_apps = (len(pc.unique(rows[name].drop_null())) for name in ("anonymous_id", "device_id"))
    assert (cookies * n_cookies + apps * n_apps) / (n_cookies + n_apps) == pytest.approx(0.03, abs=0.005)
    accounts = {text for text in pc.unique(rows["user_id"].drop_null()).to_pylist() if text[1:].isdigit()}
    second = [text for text in accounts if int(text[1:]) >= 4000]
    assert len(second) / n_people == pytest.approx(0.02, abs=0.006)  # a few are never used


def test_a_quarter_of_the_cookies_never_logs_in(shop: Truth) -> None:
    web = shop.rows.filter(pc.equal(shop.rows["source"], "web"))
    blocked = pc.fill_null(pc.is_in(web["user_id"], pa.array(["guest", "null"])), True)
    names = pc.or_(pc.and_(pc.is_valid(web["user_id"]), pc.invert(blocked)), pc.is_valid(web["email"]))
    told = pa.table({"cookie": web["anonymous_id"], "told": names}).group_by("cookie").aggregate([("told", "any")])
    assert 1 - np.mean(told["told_any"].to_numpy()) == pytest.approx(0.25, abs=0.005)
    assert pc.any(pc.is_in(web["user_id"], pa.array(["guest"]))).as_py()


def test_the_shop_is_one_of_the_lake(shop: Truth) -> None:
    assert shop.rows.schema == EVENT_SCHEMA
    for name in ("row_key", "message_id"):
        assert len(pc.unique(shop.rows[name])) == len(shop.rows)
    shop.rows.validate(full=True)
    assert not [field.name for field in EVENT_SCHEMA if not field.nullable and shop.rows[field.name].null_count]
    again = make_truth(4000, seed=7)
    assert again.rows.equals(shop.rows)
    assert np.array_equal(again.connected, shop.connected)


def test_connected_rows_are_those_that_identifiers_connect() -> None:
    shop = make_truth(60, seed=3)
    kinds = (*IDENTIFIERS, *REFERENCES)
    for person in np.unique(shop.person):
        mine = np.flatnonzero(shop.person == person)
        carried = [{(kind, _plain(row[kind])) for kind in kinds} for row in shop.rows.take(pa.array(mine)).to_pylist()]
        keys = [{key for key in one if key[1] not in (None, "guest", "null")} for one in carried]
        reached = {0}
        for _ in mine:
            near = set().union(*(keys[i] for i in reached))
            reached |= {i for i, own in enumerate(keys) if own & near}
        assert {i for i in range(len(mine)) if shop.connected[mine[i]] == shop.connected[mine[0]]} == reached


def _plain(value: str | None) -> str | None:
    return value.lower() if value else value


# ------------------------------------------------------------------------------------------------ the figures


def metrics(predicted: list[int], person: list[int], connected: list[int]) -> Metrics:
    return pair_metrics(*(np.array(values, dtype=np.int64) for values in (predicted, person, connected)))


def test_all_right() -> None:
    assert metrics([0, 0, 1], [5, 5, 6], [0, 0, 2]) == Metrics(1.0, 1.0, 1.0)


def test_two_people_taken_for_one() -> None:
    # Of three pairs told one is right.
    assert metrics([0, 0, 0], [5, 5, 6], [0, 0, 2]) == Metrics(1 / 3, 1.0, 1.0)


def test_one_person_taken_for_two() -> None:
    # Three pairs, one told; of those that identifiers connect there is only that one.
    assert metrics([0, 0, 1], [5, 5, 5], [0, 0, 2]) == Metrics(1.0, 1.0, 1 / 3)


def test_unidentified_events_are_each_by_themselves() -> None:
    assert metrics([-1, -1, 0, 0], [5, 5, 5, 5], [0, 0, 0, 0]) == Metrics(1.0, 1 / 6, 1 / 6)


def test_no_pairs() -> None:
    assert metrics([], [], []) == Metrics(1.0, 1.0, 1.0)
    assert metrics([-1], [3], [0]) == Metrics(1.0, 1.0, 1.0)


@given(st.lists(st.tuples(st.integers(-1, 3), st.integers(0, 3), st.integers(0, 1)), max_size=12))
def test_figures_are_those_of_counting_pairs(events: list[tuple[int, int, int]]) -> None:
    predicted, person = [p for p, _, _ in events], [t for _, t, _ in events]
    connected = [2 * t + c for _, t, c in events]
    told = right = true = linked = linked_told = 0
    for i, j in combinations(range(len(events)), 2):
        same = predicted[i] == predicted[j] >= 0
        told += same
        right += same and person[i] == person[j]
        true += person[i] == person[j]
        linked += connected[i] == connected[j]
        linked_told += same and connected[i] == connected[j]
    expected = Metrics(*(a / b if b else 1.0 for a, b in ((right, told), (linked_told, linked), (right, true))))
    assert metrics(predicted, person, connected) == expected
