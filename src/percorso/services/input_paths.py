"""Which files a user means: names, patterns, folders."""

from __future__ import annotations

import glob
from collections.abc import Iterable
from pathlib import Path

from percorso.errors import FileError
from percorso.language.said import said

__all__ = ["READ_ENDINGS", "input_paths"]

#: Endings of files that are read from folders; a file that is named is read whatever it is called.
READ_ENDINGS = (".csv", ".tsv", ".txt", ".ndjson", ".jsonl", ".json", ".parquet", ".gz", ".zip")


def input_paths(names: Iterable[str]) -> list[Path]:
    """The files that names, glob patterns and folders stand for, each once, in the order given.

    Folders stand for all files below them that can be read, in the order of their names; hidden ones are
    left out.

    Raises
    ------
    FileError
        A name stands for no file.
    """
    found: dict[Path, None] = {}
    for name in names:
        paths = _paths_of(name)
        if not paths:
            raise FileError(said("errors.no_file", file=name), hint=said("errors.no_file_hint"))
        found |= dict.fromkeys(paths)
    return list(found)


def _paths_of(name: str) -> list[Path]:
    path = Path(name).expanduser()
    if path.is_dir():
        return _readable(path)
    if path.exists():
        return [path]
    matches = [Path(match) for match in sorted(glob.glob(str(path), recursive=True))]  # noqa: PTH207 (absolute too)
    return [file for match in matches for file in (_readable(match) if match.is_dir() else [match])]


def _readable(folder: Path) -> list[Path]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    visible = [path for path in files if not any(part.startswith(".") for part in path.relative_to(folder).parts)]
    return [path for path in visible if path.suffix.lower() in READ_ENDINGS]
