"""Has the lake changed? Answered from the names of its commits, without opening a table."""

from __future__ import annotations

from percorso.store.files import AnyPath, newest_file

__all__ = ["lake_mark"]


def lake_mark(lake: AnyPath) -> str:
    """A text that changes with every commit to the events, and with another lake at the same place.

    Name, size and time of the newest commit file: every question asks for it, and opening the table takes
    a hundred times as long. "" as long as there are no events.

    Parameters
    ----------
    lake : AnyPath
        ``lake/`` of a workspace; need not exist yet.
    """
    newest = newest_file(lake / "events" / "_delta_log", ".json")
    return f"{newest.path.stem}-{newest.size}-{newest.changed_ns}" if newest else ""
