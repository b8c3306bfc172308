"""Do Spark's workers have what this process has? Asked once a session, before the first question.

A worker with another Percorso, or another library under its compiled loops, might give another answer, or fail in a
way that nobody understands.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.metadata
import importlib.util
import json
import platform
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa

from percorso.engines.faults import collected, skew_error
from percorso.language.said import said

__all__ = ["check_workers", "differences", "own_versions"]

#: Beside Python itself, in the order in which differences are told.
PACKAGES = ("percorso", "pyarrow", "numpy", "numba")

#: Rows to deal out: every partition gets some, up to so many.
_ROWS = 4_096


def own_versions() -> dict[str, str]:
    """Python (major.minor), packages and a hash of Percorso's code, as they are here; "" is missing."""
    found: dict[str, str] = _probe(PACKAGES)()
    return found


def _probe(packages: tuple[str, ...]) -> Any:
    """The function that finds versions out, to be sent to workers.

    It is a function within a function so that it travels as code: a worker without Percorso could not look it up.
    """

    def versions() -> dict[str, str]:
        found = {"Python": ".".join(platform.python_version_tuple()[:2])}
        for name in packages:
            try:
                found[name] = importlib.metadata.version(name)
            except importlib.metadata.PackageNotFoundError:
                found[name] = ""
        spec = importlib.util.find_spec("percorso")
        digest = hashlib.sha256()
        for folder in (spec.submodule_search_locations or ()) if spec is not None else ():
            for path in sorted(Path(folder).rglob("*.py")):
                digest.update(path.relative_to(folder).as_posix().encode() + b"\0" + path.read_bytes())
        found["code"] = digest.hexdigest()[:16]
        return found

    return versions


def check_workers(session: Any) -> int:
    """Refuse workers of other versions than this process, and count how many tasks run at once.

    Parameters
    ----------
    session : pyspark.sql.SparkSession

    Returns
    -------
    int
        Partitions that Spark makes where nobody says how many: its parallelism by default.

    Raises
    ------
    EngineError
        One has other versions, or none answered.
    """
    versions = _probe(PACKAGES)

    def told(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for _ in batches:  # a task reads what it is given before it answers
            pass
        yield pa.RecordBatch.from_pydict({"versions": [json.dumps(versions())]})

    rows = collected(session, session.range(_ROWS).mapInArrow(told, "versions string"))
    here = own_versions()
    for there in sorted({row.versions for row in rows}):
        different = differences(here, json.loads(there))
        if different:
            raise skew_error(", ".join(different))
    return max(1, len(rows))


def differences(here: dict[str, str], there: dict[str, str]) -> list[str]:
    """What differs, one sentence part each.

    Examples
    --------
    >>> differences({"numpy": "2.4.0", "code": "a"}, {"numpy": "2.3.1", "code": "a"})
    ['numpy 2.4.0 here, 2.3.1 there']
    """
    found: list[str] = []
    for name, mine in here.items():
        theirs = there.get(name, "")
        if name == "code" or mine == theirs:
            continue
        if theirs:
            found.append(said("errors.engine_skew_two", name=name, here=mine, there=theirs))
        else:
            found.append(said("errors.engine_skew_none", name=name, here=mine))
    if not found and here.get("code") != there.get("code"):
        found.append(said("errors.engine_skew_code", version=here.get("percorso", "")))
    return found
