"""The alias table: what goes in comes out, and a merge writes what a full build would."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from percorso.errors import Corrupt
from percorso.kernels.arrays import U8
from percorso.store.alias_table import AliasTable, merge_alias_table, write_alias_table
from percorso.store.log_files import write_table

# Few values in a few places: equal first halves, zeros at the end, bytes above 127.
hashes = st.tuples(st.sampled_from([0, 1, 127, 128, 255]), st.sampled_from([0, 7, 200]), st.sampled_from([0, 255])).map(
    lambda at: bytes([at[0], *bytes(6), at[1], *bytes(7), at[2]])
)
tables = st.dictionaries(hashes, hashes, max_size=20)


def rows(values: Iterable[bytes]) -> U8:
    return np.frombuffer(b"".join(values), dtype=np.uint8).reshape(-1, 16)


def write(folder: Path, table: Mapping[bytes, bytes]) -> str:
    return write_alias_table(folder, rows(table), rows(table.values()))


def content(folder: Path, name: str) -> dict[bytes, bytes]:
    table = AliasTable.open(folder, name)
    return {a.tobytes(): p.tobytes() for a, p in zip(table.alias, table.person, strict=True)}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("log")


@given(table=tables, wanted=st.lists(hashes, max_size=20))
def test_the_person_of_an_alias(folder: Path, table: dict[bytes, bytes], wanted: list[bytes]) -> None:
    opened = AliasTable.open(folder, write(folder, table))
    assert [one.tobytes() for one in opened.alias] == sorted(table)
    assert len(opened) == len(table)
    person, found = opened.person_of(rows(wanted))
    assert found.tolist() == [one in table for one in wanted]
    assert [one.tobytes() for one in person] == [table.get(one, bytes(16)) for one in wanted]


@given(table=tables)
def test_order_of_writing_changes_nothing(folder: Path, table: dict[bytes, bytes]) -> None:
    name = write(folder, table)
    assert re.fullmatch(r"alias-[0-9a-f]{40}\.arrow", name)
    assert write(folder, dict(reversed(table.items()))) == name
    assert content(folder, name) == table


@given(old=tables, gone=st.lists(hashes, max_size=10), new=tables)
def test_a_merge_is_what_a_full_build_writes(
    folder: Path, old: dict[bytes, bytes], gone: list[bytes], new: dict[bytes, bytes]
) -> None:
    expected = {alias: person for alias, person in old.items() if alias not in gone} | new
    merged = merge_alias_table(folder, write(folder, old), rows(gone), rows(new), rows(new.values()))
    assert content(folder, merged) == expected
    assert merged == write(folder, expected)


def test_many_changes_in_many_rows(folder: Path) -> None:
    """Real hashes, so that rows are sorted by their first half."""
    random = np.random.default_rng(3).integers(0, 256, (40_000, 32), dtype=np.uint8)
    alias, person = random[:, :16].copy(), random[:, 16:].copy()
    old = write_alias_table(folder, alias[:30_000], person[:30_000])
    moved = person[30_000:][::-1]
    merged = merge_alias_table(
        folder, old, alias[:500], np.concatenate([alias[30_000:], alias[499:600]]), np.concatenate([moved, moved[:101]])
    )
    kept = np.r_[600:30_000]
    scratch = write_alias_table(
        folder,
        np.concatenate([alias[kept], alias[30_000:], alias[499:600]]),
        np.concatenate([person[kept], moved, moved[:101]]),
    )
    assert merged == scratch
    found = AliasTable.open(folder, merged).person_of(alias)[1]
    assert found.tolist() == [False] * 499 + [True] * 39_501


@pytest.mark.parametrize("twice", [[b"a" * 16, b"b" * 16, b"a" * 16], [bytes(16), bytes(16)]])
def test_an_alias_has_one_person(tmp_path: Path, twice: list[bytes]) -> None:
    with pytest.raises(ValueError, match="twice"):
        write_alias_table(tmp_path, rows(twice), rows(twice))
    old = write(tmp_path, {twice[0]: twice[1]})
    with pytest.raises(ValueError, match="twice"):
        merge_alias_table(tmp_path, old, rows([]), rows(twice), rows(twice))
    assert [path.name for path in tmp_path.iterdir()] == [old]


def test_damaged_tables_are_told_as_such(tmp_path: Path) -> None:
    name = write(tmp_path, {bytes(16): bytes(16)})
    (tmp_path / name).write_bytes((tmp_path / name).read_bytes()[:-20])
    other = write_table(tmp_path, "alias", pa.RecordBatch.from_pydict({"alias": ["a"], "person": ["b"]}))
    unnamed = write_table(tmp_path, "alias", pa.RecordBatch.from_pydict({"a": ["a"]}))
    for damaged in (name, other, unnamed, "alias-none.arrow"):
        with pytest.raises(Corrupt, match=r"alias-.*cannot be read"):
            AliasTable.open(tmp_path, damaged)
