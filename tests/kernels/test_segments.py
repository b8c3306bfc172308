"""Moving runs of rows: as plain Python does it, for every width of word and code."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from percorso.kernels.segments import contacts_before, copy_runs, mark_codes, recode_runs, shift_runs
from tests.naive import segments as naive

CODES = ("u1", "u2", "u4")


@st.composite
def moves(draw: st.DrawFn) -> tuple[list[int], list[naive.Run], int]:
    """A source, runs of it that do not overlap in the output, and the size of the output."""
    source = draw(st.lists(st.integers(-1, 99), max_size=12))
    runs, at = [], 0
    for _ in range(draw(st.integers(0, 5))):
        start = draw(st.integers(0, len(source)))
        length = draw(st.integers(0, len(source) - start))
        at += draw(st.integers(0, 2))
        runs.append((start, at, length))
        at += length
    return source, draw(st.permutations(runs)), at + draw(st.integers(0, 2))


def columns(runs: list[naive.Run]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    start, to, length = (np.array([run[k] for run in runs], dtype=np.int64) for k in range(3))
    return start, to, length


@pytest.mark.parametrize("kind", [*CODES, "u8"])
@given(moves())
def test_copying_runs(kind: str, given_: tuple[list[int], list[naive.Run], int]) -> None:
    source, runs, size = given_
    words, out = np.array(source, dtype=np.int64).astype(kind), np.full(size, 7, dtype=kind)
    copy_runs(words, out, *columns(runs))
    assert out.tolist() == naive.moved(words.tolist(), [7] * size, runs, lambda run, value: value)


@pytest.mark.parametrize("kinds", [("i4", "i4"), ("i4", "i8"), ("i8", "i8")])
@given(moves(), st.lists(st.integers(0, 50), min_size=5, max_size=5))
def test_shifting_runs(
    kinds: tuple[str, str], given_: tuple[list[int], list[naive.Run], int], shifts: list[int]
) -> None:
    source, runs, size = given_
    out = np.full(size, 7, dtype=kinds[1])
    shift = np.array(shifts[: len(runs)], dtype=np.int64)
    shift_runs(np.array(source, dtype=kinds[0]), out, *columns(runs), shift)
    assert out.tolist() == naive.moved(
        source, [7] * size, runs, lambda run, value: max(-1, value + shifts[run] * (value >= 0))
    )


@pytest.mark.parametrize("into", CODES)
@pytest.mark.parametrize("kind", CODES)
@given(moves())
def test_recoding_and_marking_runs(kind: str, into: str, given_: tuple[list[int], list[naive.Run], int]) -> None:
    source, runs, size = given_
    codes = np.abs(np.array(source, dtype=np.int64)).astype(kind)
    lookup: npt.NDArray[Any] = ((np.arange(100) * 37) % 251).astype(into)
    out, present = np.zeros(size, dtype=into), np.zeros(100, dtype=np.uint8)
    recode_runs(codes, out, *columns(runs), lookup)
    assert out.tolist() == naive.moved(codes.tolist(), [0] * size, runs, lambda run, value: int(lookup[value]))
    start, _, length = columns(runs)
    mark_codes(codes, start, length, present)
    inside = {code for start_, _, n in runs for code in codes[start_ : start_ + n].tolist()}
    assert set(np.flatnonzero(present).tolist()) == inside


@given(st.lists(st.lists(st.sampled_from([-1, 0, 0, 1, 2]), max_size=4), max_size=5))
def test_contacts_before_each_group(groups: list[list[int]]) -> None:
    """Contacts are numbered through, by first event: made so from numbers within each group."""
    number, numbered = 0, []
    for group in groups:
        order = {contact: number + k for k, contact in enumerate(dict.fromkeys(c for c in group if c >= 0))}
        number += len(order)
        numbered.append([order.get(contact, -1) for contact in group])
    flat = np.array([contact for group in numbered for contact in group], dtype=np.int32)
    offsets = np.cumsum([0, *(len(group) for group in numbered)]).astype(np.int64)
    assert contacts_before(offsets, flat).tolist() == naive.contacts_before(numbered)
