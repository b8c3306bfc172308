"""Orders told twice and owners of references, against their plain twins and by hand."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from hypothesis import given, settings
from hypothesis import strategies as st

from percorso.kernels.orders import offer_owners, order_copies
from tests.naive import orders as naive
from tests.naive.orders import Row

N_REFS = 4
N_COLUMNS = 3

refs = st.tuples(*[st.integers(-1, N_REFS - 1)] * N_COLUMNS)
rows_of = st.lists(
    st.builds(
        Row,
        time=st.integers(-1, 2),
        source=st.integers(0, 1),
        sequence=st.integers(-1, 1),
        message_id=st.sampled_from([b"", b"m", b"m1", b"m\xc3\xa8", b"n", b"\x7f"]),
        refs=refs,
        is_order=st.sampled_from([True, True, False]),
        keep=st.sampled_from([True, True, True, False]),
        trust=st.sampled_from([1, 1, 2, 5]),
        has_strong=st.booleans(),
        has_weak=st.booleans(),
    ),
    # (source, message id) is what makes a message one; time and sequence stay free, so that they decide too.
    unique_by=lambda row: (row.source, row.message_id),
    max_size=14,
)


def columns(rows: list[Row]) -> dict[str, npt.NDArray[Any]]:
    texts = [row.message_id for row in rows]
    flags = ("is_order", "keep", "has_strong", "has_weak")
    return {
        "time": np.array([row.time for row in rows], dtype=np.int64),
        "source": np.array([row.source for row in rows], dtype=np.int16),
        "sequence": np.array([row.sequence for row in rows], dtype=np.int64),
        "text_offsets": np.cumsum([0, *map(len, texts)]).astype(np.int64),
        "text": np.frombuffer(b"".join(texts), dtype=np.uint8),
        "trust": np.array([row.trust for row in rows], dtype=np.int8),
        "refs": np.array([row.refs for row in rows], dtype=np.int32).reshape(len(rows), N_COLUMNS).T.copy(),
        **{name: np.array([getattr(row, name) for row in rows], dtype=np.uint8) for name in flags},
    }


def copies(rows: list[Row]) -> list[bool]:
    data = columns(rows)
    found = order_copies(
        np.arange(len(rows)),
        data["refs"][0] + np.int32(1),
        data["is_order"],
        data["keep"],
        data["trust"],
        data["time"],
        data["source"],
        data["sequence"],
        data["text_offsets"],
        data["text"],
        N_REFS,
    )
    return [bool(flag) for flag in found]


def owners(rows: list[Row], wanted: list[int], order: Sequence[int] = range(N_COLUMNS)) -> tuple[list[int], list[int]]:
    data = columns(rows)
    strong, weak = np.full(N_REFS + 1, -1, dtype=np.int64), np.full(N_REFS + 1, -1, dtype=np.int64)
    for column in order:
        ref = data["refs"][column]
        carrying = np.array([row for row in range(len(rows)) if ref[row] >= 0 and wanted[ref[row]]], dtype=np.int64)
        offer_owners(
            carrying,
            ref + np.int32(1),
            data["keep"],
            data["has_strong"][carrying],
            data["has_weak"][carrying],
            data["time"],
            data["source"],
            data["sequence"],
            data["text_offsets"],
            data["text"],
            strong,
            weak,
        )
    return strong[1:].tolist(), weak[1:].tolist()


@settings(max_examples=400, deadline=None)
@given(rows_of)
def test_copies_equal_the_plain_twin(rows: list[Row]) -> None:
    assert copies(rows) == naive.order_copies(rows)


@settings(max_examples=200, deadline=None)
@given(rows_of, st.randoms(use_true_random=False))
def test_copies_do_not_depend_on_the_order_of_arrival(rows: list[Row], shuffle: random.Random) -> None:
    mixed = list(rows)
    shuffle.shuffle(mixed)
    told = {(row.source, row.message_id): copy for row, copy in zip(rows, copies(rows), strict=True)}
    assert told == {(row.source, row.message_id): copy for row, copy in zip(mixed, copies(mixed), strict=True)}


@settings(max_examples=200, deadline=None)
@given(rows_of)
def test_every_order_counts_exactly_once(rows: list[Row]) -> None:
    found = copies(rows)
    orders = [(row.refs[0], copy) for row, copy in zip(rows, found, strict=True) if row.keep and row.is_order]
    for ref in {ref for ref, _ in orders if ref >= 0}:
        assert sum(not copy for other, copy in orders if other == ref) == 1
    assert not any(copy for ref, copy in orders if ref < 0)
    assert not any(copy for row, copy in zip(rows, found, strict=True) if not (row.keep and row.is_order))


@settings(max_examples=400, deadline=None)
@given(rows_of, st.lists(st.integers(0, 1), min_size=N_REFS, max_size=N_REFS), st.permutations(range(N_COLUMNS)))
def test_owners_equal_the_plain_twin(rows: list[Row], wanted: list[int], order: list[int]) -> None:
    strong, weak = owners(rows, wanted, order)
    for ref in range(N_REFS):
        owner = strong[ref] if strong[ref] >= 0 else weak[ref]
        expected = naive.reference_owner(rows, ref) if wanted[ref] else None
        assert (rows[owner] if owner >= 0 else None) is expected


def test_no_rows() -> None:
    assert copies([]) == []
    assert owners([], [1] * N_REFS) == ([-1] * N_REFS, [-1] * N_REFS)


def test_the_shop_system_is_believed_though_the_site_was_first() -> None:
    site = Row(0, 0, 0, b"w1", (3, -1, -1), trust=3)
    shop = Row(900, 1, 0, b"s1", (3, -1, -1), trust=2)
    till = Row(1000, 1, 0, b"t1", (2, -1, -1), trust=1)
    assert copies([site, shop, till]) == [True, False, False]


def test_the_owner_with_a_strong_identifier_goes_before_an_earlier_visitor() -> None:
    visitor = Row(0, 0, 0, b"a", (1, -1, -1), has_weak=True)
    nobody = Row(-5, 0, 0, b"b", (1, -1, -1))
    customer = Row(9, 0, 0, b"c", (-1, 1, -1), has_strong=True, has_weak=True)
    assert owners([visitor, nobody, customer], [1] * N_REFS) == ([-1, 2, -1, -1], [-1, 0, -1, -1])
    assert owners([nobody, visitor], [1] * N_REFS) == ([-1] * N_REFS, [-1, 1, -1, -1])
    assert owners([nobody], [1] * N_REFS) == ([-1] * N_REFS, [-1] * N_REFS)
