"""The alias table: from the keyed hash of any identifier to the person it belongs to.

Every strong identifier of a person has a row; the manifest of the journey log names the file under ``alias``::

    alias-<hash>.arrow       alias, person: 16 bytes each, sorted by the bytes of alias, none twice

Like the other files of the log it is derived and never edited: a build writes a new one, whole or by merging its
changes into the old one, with equal bytes either way. Identifiers that belong to nobody alone (shared ones) are
not in it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from percorso.kernels.arrays import U8, Bools
from percorso.store.files import AnyPath
from percorso.store.journey_log import JourneyLog
from percorso.store.log_files import write_table
from percorso.store.mapped import damaged_table, log_table
from percorso.store.row_keys import keys_as_binary

__all__ = ["AliasTable", "alias_table_of", "merge_alias_table", "write_alias_table"]

_WIDTH = 16
_COLUMNS = ("alias", "person")

# numpy compares two values of this type as bytes, by their 16 unsigned bytes; shorter values it would pad with zeros,
# but there are none. It sorts and finds such values, and moves a row at a time.
_Rows = npt.NDArray[np.bytes_]
_ROW = np.dtype("S16")


@dataclass(frozen=True, slots=True)
class AliasTable:
    """An opened alias table, memory-mapped.

    Attributes
    ----------
    alias : uint8, shape (n, 16)
        Keyed hashes of identifiers, sorted by bytes.
    person : uint8, shape (n, 16)
        Ids of the persons they belong to.
    """

    alias: U8
    person: U8

    def __len__(self) -> int:
        return len(self.alias)

    @classmethod
    def open(cls, folder: AnyPath, name: str) -> AliasTable:
        """The table in the file `name` of the log's folder.

        Raises
        ------
        Corrupt
            The file is not there, or is no alias table.
        """
        batch = log_table(folder, name)
        try:
            return cls(*(_bytes_of(batch.column(column)) for column in _COLUMNS))
        except (KeyError, pa.ArrowInvalid) as error:
            raise damaged_table(name) from error

    def person_of(self, alias: U8) -> tuple[U8, Bools]:
        """Whose the identifiers are, by binary search.

        Parameters
        ----------
        alias : uint8, shape (n, 16)

        Returns
        -------
        person : uint8, shape (n, 16)
            Ids; zeros where it is nobody's.
        found : bool, shape (n,)
        """
        at, found = _find(_rows(self.alias), _rows(alias))
        person = np.zeros((len(at), _WIDTH), dtype=np.uint8)
        person[found] = self.person[at[found]]
        return person, found


def alias_table_of(log: JourneyLog) -> AliasTable | None:
    """The alias table of a journey log; None where an earlier Percorso built the log without one."""
    name = log.manifest.get("alias")
    return AliasTable.open(log.folder, str(name)) if name else None


def write_alias_table(folder: AnyPath, alias: U8, person: U8) -> str:
    """Write an alias table from its rows in any order, and return its file name.

    Parameters
    ----------
    folder : AnyPath
        The log's.
    alias : uint8, shape (n, 16)
        All different.
    person : uint8, shape (n, 16)

    Raises
    ------
    ValueError
        An alias stands twice.
    """
    order = _order(alias)
    ordered = _rows(alias)[order]
    _check_distinct(ordered)
    return _write(folder, ordered, _rows(person)[order])


def merge_alias_table(folder: AnyPath, old: str, gone: U8, alias: U8, person: U8) -> str:
    """Write the alias table that comes of changes to an old one, and return its file name.

    Its bytes are those of a table written from scratch. Time grows with the old table as copying it does,
    and with the changes as sorting them does.

    Parameters
    ----------
    folder : AnyPath
        The log's.
    old : str
        File name of the old table; it is not changed.
    gone : uint8, shape (k, 16)
        Aliases that belong to nobody any more; those the old table does not have are passed over.
    alias, person : uint8, shape (n, 16)
        New rows, all aliases different, and rows in place of old ones; they count also where `gone` has their alias.

    Raises
    ------
    Corrupt
        The old table cannot be read.
    ValueError
        A new alias stands twice.
    """
    table = AliasTable.open(folder, old)
    before = _rows(table.alias)
    order = _order(alias)
    new = _rows(alias)[order]
    _check_distinct(new)
    # Sorted, so that neighbours in the table are looked at one after the other.
    at, found = _find(before, np.sort(np.concatenate([_rows(gone), new])))
    kept = np.delete(before, at[found])
    places = np.searchsorted(kept, new)
    persons = np.insert(np.delete(_rows(table.person), at[found]), places, _rows(person)[order])
    return _write(folder, np.insert(kept, places, new), persons)


def _order(alias: U8) -> npt.NDArray[np.int64]:
    """What sorts aliases by their bytes."""
    words = np.ascontiguousarray(alias).view(np.uint64).byteswap()
    # The first half alone decides between hashes, and sorts four times as fast.
    order = np.argsort(words[:, 0])
    first = words[order, 0]
    return np.lexsort((words[:, 1], words[:, 0])) if (first[1:] == first[:-1]).any() else order


def _find(table: _Rows, wanted: _Rows) -> tuple[npt.NDArray[np.int64], Bools]:
    """Where the wanted values stand, or would stand, in sorted ones, and which of them are there."""
    at = np.searchsorted(table, wanted)
    found = at < len(table)
    found[found] = table[at[found]] == wanted[found]
    return at, found


def _write(folder: AnyPath, alias: _Rows, person: _Rows) -> str:
    columns = [keys_as_binary(rows.view(np.uint64).reshape(-1, 2)) for rows in (alias, person)]
    return write_table(folder, "alias", pa.RecordBatch.from_arrays(columns, list(_COLUMNS)))


def _check_distinct(alias: _Rows) -> None:
    if (alias[1:] == alias[:-1]).any():
        raise ValueError("an alias stands twice")


def _rows(hashes: U8) -> _Rows:
    """Hashes, shape (n, 16), as one value a row."""
    return np.ascontiguousarray(hashes).view(_ROW).reshape(-1)


def _bytes_of(column: Any) -> U8:
    """A column of 16-byte values, shape (n, 16), without a copy."""
    if column.type != pa.binary(_WIDTH) or column.null_count:
        raise pa.ArrowInvalid("not a column of hashes")
    data = np.frombuffer(column.buffers()[1], dtype=np.uint8)
    return data[_WIDTH * column.offset : _WIDTH * (column.offset + len(column))].reshape(-1, _WIDTH)
