"""What this process has, to be compared with what Spark's workers have.

A worker with another Percorso, or another library under its compiled loops, might give another answer, or fail in a
way that nobody understands.
"""

from __future__ import annotations

import functools
import hashlib
import importlib
import importlib.metadata
import importlib.util
import platform
from collections.abc import Callable
from pathlib import Path

from percorso.language.said import said

__all__ = ["PACKAGES", "differences", "own_versions", "versions_probe"]

#: Beside Python itself, in the order in which differences are told.
PACKAGES = ("percorso", "pyarrow", "numpy", "numba")


@functools.lru_cache(maxsize=1)
def own_versions() -> dict[str, str]:
    """Python (major.minor), packages and a hash of Percorso's code, as they are here; "" is missing."""
    return versions_probe(PACKAGES)()


def versions_probe(packages: tuple[str, ...]) -> Callable[[], dict[str, str]]:
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
