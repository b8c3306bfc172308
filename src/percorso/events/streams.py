"""Bytes of a file to import: unpacked, without byte-order mark, in an encoding that has ASCII inside."""

from __future__ import annotations

import codecs
import gzip
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from percorso.errors import FileError
from percorso.language.said import said

__all__ = ["BLOCK_BYTES", "TextStream", "as_utf8", "member_names", "open_member"]

BLOCK_BYTES = 8 << 20

_GZIP, _ZIP = b"\x1f\x8b", b"PK\x03\x04"
_OLD_OFFICE = b"\xd0\xcf\x11\xe0"
_EXCEL_ENDINGS = frozenset({".xlsx", ".xlsm", ".xlsb", ".xls"})
_EXCEL_PARTS = frozenset({"xl/workbook.xml", "xl/workbook.bin"})
_UTF8_MARK = codecs.BOM_UTF8
_UTF16_MARKS = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
_DAMAGE = (EOFError, zlib.error, gzip.BadGzipFile, zipfile.BadZipFile, RuntimeError, NotImplementedError)


def member_names(path: Path) -> list[str]:
    """Files inside a zip archive, in its order; [""] for any other file.

    Raises
    ------
    FileError
        The file cannot be read, is empty, a workbook, or a broken archive.
    """
    head = _head(path)
    if not head:
        raise FileError(said("errors.empty", file=path.name), hint=said("errors.empty_hint"))
    if head == _OLD_OFFICE or path.suffix.lower() in _EXCEL_ENDINGS:
        raise _workbook(path)
    if head != _ZIP:
        return [""]
    try:
        with zipfile.ZipFile(path) as archive:
            names = [info.filename for info in archive.infolist() if not info.is_dir()]
    except zipfile.BadZipFile as error:
        raise _damaged(path) from error
    if not _EXCEL_PARTS.isdisjoint(names):
        raise _workbook(path)
    wanted = [name for name in names if not name.startswith("__MACOSX/") and not Path(name).name.startswith(".")]
    if not wanted:
        raise FileError(f"{path.name} is an archive without files.")
    return wanted


def _head(path: Path) -> bytes:
    try:
        with open(path, "rb") as stream:
            return stream.read(4)
    except FileNotFoundError as error:
        raise FileError(said("errors.no_file", file=str(path))) from error
    except OSError as error:
        raise FileError(said("errors.not_read", file=str(path), reason=str(error.strerror))) from error


@dataclass(frozen=True, slots=True)
class TextStream:
    """An opened file or archive member, unpacked on the way.

    Parameters
    ----------
    path : Path
    stream : IO[bytes]
        Unpacked bytes.
    packed : IO[bytes]
        Bytes of the file itself; its position says how far reading is.
    size : int
        Bytes of the file.
    """

    path: Path
    stream: IO[bytes]
    packed: IO[bytes]
    size: int

    def blocks(self) -> Iterator[bytes]:
        """The text in pieces of about `BLOCK_BYTES`, from the current position on.

        Raises
        ------
        FileError
            The file ends too early or is damaged.
        """
        first = self._read()
        decoder = next((name for mark, name in _UTF16_MARKS.items() if first.startswith(mark)), None)
        if decoder is not None:
            yield from self._transcoded(first[2:], decoder)
            return
        block = first.removeprefix(_UTF8_MARK)
        while block:
            yield block
            block = self._read()

    def position_ratio(self) -> float:
        """Share of the file that has been read, 0 to 1."""
        return min(1.0, self.packed.tell() / self.size) if self.size else 1.0

    def _transcoded(self, first: bytes, encoding: str) -> Iterator[bytes]:
        decoder = codecs.getincrementaldecoder(encoding)("replace")
        block = first
        while block:
            yield decoder.decode(block).encode()
            block = self._read()

    def _read(self) -> bytes:
        try:
            return self.stream.read(BLOCK_BYTES)
        except _DAMAGE as error:
            raise _damaged(self.path) from error
        except OSError as error:
            raise FileError(f"{self.path.name} cannot be read: {error.strerror or 'it is damaged'}.") from error


@contextmanager
def open_member(path: Path, member: str = "") -> Iterator[TextStream]:
    """Open a file, or a member of a zip archive, and unpack it while it is read."""
    size = path.stat().st_size
    if member:
        with zipfile.ZipFile(path) as archive, _member_stream(path, archive, member) as stream:
            packed = archive.fp
            assert packed is not None
            with _unpacked(stream) as unpacked:
                yield TextStream(path, unpacked, packed, size)
        return
    with open(path, "rb") as raw, _unpacked(raw) as unpacked:
        yield TextStream(path, unpacked, raw, size)


def _member_stream(path: Path, archive: zipfile.ZipFile, member: str) -> IO[bytes]:
    try:
        return archive.open(member)
    except RuntimeError as error:
        raise FileError(said("errors.password", file=path.name), hint=said("errors.password_hint")) from error
    except _DAMAGE as error:
        raise _damaged(path) from error


@contextmanager
def _unpacked(raw: IO[bytes]) -> Iterator[IO[bytes]]:
    head = raw.read(2)
    raw.seek(0)
    if head != _GZIP:
        yield raw
        return
    with gzip.GzipFile(fileobj=raw) as stream:
        yield cast(IO[bytes], stream)


def _workbook(path: Path) -> FileError:
    return FileError(said("errors.excel", file=path.name), hint=said("errors.excel_hint"))


def _damaged(path: Path) -> FileError:
    return FileError(said("errors.file_damaged", file=path.name), hint=said("errors.download_again"))


def as_utf8(data: bytes) -> bytes:
    """Text as UTF-8: bytes that are no UTF-8 are read as Windows-1252, which includes Latin-1's letters.

    Examples
    --------
    >>> as_utf8("perché".encode("latin-1")).decode()
    'perché'
    """
    if data.isascii():
        return data
    try:
        data.decode()
    except UnicodeDecodeError:
        return data.decode("utf-8", errors=_HANDLER).encode()
    return data


def _as_windows_1252(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeDecodeError)
    # The five bytes Windows-1252 leaves undefined are control characters in Latin-1.
    wrong = error.object[error.start : error.end]
    return "".join(bytes([b]).decode("cp1252", "ignore") or chr(b) for b in wrong), error.end


_HANDLER = "percorso.windows-1252"
codecs.register_error(_HANDLER, _as_windows_1252)
