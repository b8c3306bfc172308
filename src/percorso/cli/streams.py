"""Where answers go, and JSON documents on their way there; tables are written by :mod:`percorso.cli.output`.

It loads no Arrow: a report of a few numbers is told before Arrow is there.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import IO, Any

from percorso.cli.texts import plain_value
from percorso.errors import FileError
from percorso.language.said import said

__all__ = ["Format", "Output", "json_bytes", "opened", "write_json"]


class Format(StrEnum):
    table = "table"
    json = "json"
    csv = "csv"
    parquet = "parquet"


@dataclass(frozen=True, slots=True)
class Output:
    """Where an answer goes, and how."""

    format: Format
    file: Path | None = None


def write_json(body: Any, output: Output | None = None) -> None:
    """Write a JSON document, such as an import's report."""
    with opened(output or Output(Format.json)) as stream:
        stream.write(json_bytes(body))


def json_bytes(body: Any) -> bytes:
    """The document in one line, as UTF-8."""
    return (json.dumps(plain_value(body), ensure_ascii=False, allow_nan=False) + "\n").encode()


@contextmanager
def opened(output: Output) -> Iterator[IO[bytes]]:
    """The file that was asked for, or the standard output."""
    if output.file is None:
        sys.stdout.flush()
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    try:
        with open(output.file, "wb") as stream:
            yield stream
    except OSError as error:
        raise FileError(said("errors.not_written", file=str(output.file), reason=str(error.strerror))) from error
