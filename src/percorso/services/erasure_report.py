"""What an erasure takes away and what it leaves, for people and programs."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from percorso.time import time_text

__all__ = ["ErasedIdentifier", "ErasureReport"]


@dataclass(frozen=True, slots=True)
class ErasedIdentifier:
    """An identifier on the person's events; those that also others have stay with the others.

    Parameters
    ----------
    kind, space, shown : str
        `shown` is masked.
    events : int
        Rows of the person it stands on.
    erased : bool
        False: others have it, too.
    sought : bool
        It is found wherever it stands in texts. False: it is too short to tell, or a mere word, and is found only where
        it stands alone in a cell or is called what it is.
    """

    kind: str
    space: str
    shown: str
    events: int
    erased: bool
    sought: bool


@dataclass(frozen=True, slots=True)
class ErasureReport:
    """What an erasure takes away.

    Parameters
    ----------
    person : str
        Id, 32 hex digits. "": nobody's events carry the identifier; it stands in rejected rows or in texts of others.
    events : int
        Rows of the lake, copies of events included.
    orders : int
    rejected : int
        Rejected rows of imports in which an identifier of the person stands.
    elsewhere : int
        Events of others that lose a mention of the person.
    decisions : int
        Decisions by hand about the person.
    reworded : int
        Other decisions, and records of earlier erasures, whose author or reason loses a mention of the person.
    first_us, last_us : int or None
        µs UTC; None: no event.
    identifiers : tuple of ErasedIdentifier
    imports : int
        Imports that the rows came with.
    doubtful_rejected, doubtful_elsewhere : int
        Rejected rows, and events of others, that stay as they are although something stands in them that may mean the
        person, and may as well mean somebody else or nothing.
    done : bool
        False: a preview.
    """

    person: str
    events: int
    orders: int
    rejected: int
    elsewhere: int
    decisions: int
    reworded: int
    first_us: int | None
    last_us: int | None
    identifiers: tuple[ErasedIdentifier, ...]
    imports: int
    doubtful_rejected: int
    doubtful_elsewhere: int
    done: bool

    def as_dict(self) -> dict[str, object]:
        body = asdict(self)
        first, last = body.pop("first_us"), body.pop("last_us")
        times = {
            "first_seen": None if first is None else time_text(first),
            "last_seen": None if last is None else time_text(last),
        }
        return {**body, "person": self.person or None, **times}
