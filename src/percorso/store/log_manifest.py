"""The manifest of a journey log: which files are the log now, and of what it was made.

It is read without Arrow and the compiled loops: whether a log is up to date is asked more often than a log is opened.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from percorso.errors import Corrupt, FormatTooNew

__all__ = ["LOG_FORMAT", "read_manifest", "swap_manifest"]

#: Format number of bucket files and manifest: an older log is rebuilt, a newer one refused.
LOG_FORMAT = 5


def read_manifest(folder: Path) -> dict[str, Any] | None:
    """The manifest in `folder` as it stands now; None where no log was built (or by an older format).

    Raises
    ------
    FormatTooNew
        The log was written by a newer Percorso.
    Corrupt
        It is no manifest.
    """
    try:
        manifest: dict[str, Any] = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        written = int(manifest["format"])
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError) as error:
        raise Corrupt("The journey log's manifest cannot be read.", hint="Run `percorso build --full`.") from error
    if written > LOG_FORMAT:
        raise FormatTooNew(
            "This journey log was written by a newer version of Percorso.",
            hint="Upgrade Percorso, or rebuild the log with this version: `percorso build --full`.",
        )
    return manifest if written == LOG_FORMAT else None


def swap_manifest(folder: Path, manifest: Mapping[str, Any]) -> None:
    """Make `manifest` the log, atomically: readers see the old one or the new one, never a mixture."""
    partial = folder / f".manifest.{os.getpid()}"
    with open(partial, "w", encoding="utf-8") as stream:
        json.dump(manifest, stream, indent=1, sort_keys=True)
        stream.flush()
        os.fsync(stream.fileno())
    partial.replace(folder / "manifest.json")
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
