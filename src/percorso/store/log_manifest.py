"""The manifest of a journey log: which files are the log now, and of what it was made.

It is read without Arrow and the compiled loops: whether a log is up to date is asked more often than a log is opened.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from percorso.errors import Busy, Corrupt, FormatTooNew
from percorso.language.said import said
from percorso.store.files import AnyPath, ChangedError, read_version, swap_bytes

__all__ = ["LOG_FORMAT", "manifest_version", "read_manifest", "swap_manifest"]

#: Format number of bucket files and manifest: an older log is rebuilt, a newer one refused.
LOG_FORMAT = 5

_NAME = "manifest.json"


def read_manifest(folder: AnyPath) -> dict[str, Any] | None:
    """The manifest in `folder` as it stands now; None where no log was built (or by an older format).

    Raises
    ------
    FormatTooNew
        The log was written by a newer Percorso.
    Corrupt
        It is no manifest.
    """
    found = read_version(folder / _NAME)
    if found is None:
        return None
    try:
        manifest: dict[str, Any] = json.loads(found[0])
        written = int(manifest["format"])
    except (ValueError, KeyError, TypeError) as error:
        raise Corrupt("The journey log's manifest cannot be read.", hint="Run `percorso build --full`.") from error
    if written > LOG_FORMAT:
        raise FormatTooNew(
            "This journey log was written by a newer version of Percorso.",
            hint="Upgrade Percorso, or rebuild the log with this version: `percorso build --full`.",
        )
    return manifest if written == LOG_FORMAT else None


def manifest_version(folder: AnyPath) -> str:
    """Which manifest is there now, whatever stands in it; for `swap_manifest`."""
    found = read_version(folder / _NAME)
    return found[1] if found else ""


def swap_manifest(folder: AnyPath, manifest: Mapping[str, Any], over: str | None = None) -> None:
    """Make `manifest` the log, atomically: readers see the old one or the new one, never a mixture.

    Parameters
    ----------
    folder : AnyPath
    manifest : mapping
    over : str, optional
        The `manifest_version` upon which the log was built; None: whatever is there.

    Raises
    ------
    Busy
        It is not there any more; the log stays as it is.
    """
    try:
        swap_bytes(folder / _NAME, json.dumps(manifest, indent=1, sort_keys=True).encode(), over=over)
    except ChangedError:
        raise Busy(said("errors.storage_changed"), hint=said("errors.busy_hint")) from None
