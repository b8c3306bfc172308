"""Every error Percorso raises on purpose, in one tree.

::

    PercorsoError
    ├── UserError                what the user gave cannot be used        exit 2, HTTP 400
    │   ├── WorkspaceError       no workspace there, or one already        404 / 409
    │   ├── SettingsError        percorso.toml holds a wrong value
    │   ├── MappingError         a mapping file holds a wrong value
    │   ├── FileError            a file that cannot be read as a whole
    │   ├── AmountError          a text that is no amount of money
    │   ├── TimeError            a text that is no time
    │   ├── ImportConflict       a file that was imported differently      409
    │   ├── SpecError            a question that cannot be asked
    │   ├── NotFound             a person, event or column nobody has      404
    │   ├── NothingImported      a question before the first event
    │   ├── DecisionRefused      a decision that contradicts others        409
    │   └── SqlRefused           SQL that reads or does more than allowed
    └── OperationError           the machine or the store failed us       exit 1, HTTP 500
        ├── Busy                 another process holds the lock            409
        ├── FormatTooNew         written by a newer Percorso
        ├── StorageFailed        an object store refuses us, or is not there
        └── Corrupt              a stored file is not what it should be

``code`` is stable and documented in ``docs/reference/errors.md``; programs branch on it, people read
``message`` and ``hint``.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any

__all__ = [
    "AmountError",
    "Busy",
    "Corrupt",
    "DecisionRefused",
    "EngineError",
    "FileError",
    "FormatTooNew",
    "ImportConflict",
    "MappingError",
    "NearestHint",
    "NotFound",
    "NothingImported",
    "OperationError",
    "PercorsoError",
    "SettingsError",
    "SpecError",
    "SqlRefused",
    "StorageFailed",
    "TimeError",
    "UserError",
    "WorkspaceError",
    "nearest_hint",
]


class PercorsoError(Exception):
    """Base of all errors raised on purpose.

    Parameters
    ----------
    message : str
        One sentence that a marketer understands. Never holds a personal value.
    hint : str, optional
        What to do next: allowed values, the nearest match, a command.
    fields : dict, optional
        Machine-readable details (key, line, column, ...).
    """

    code = "error"
    status = 500
    exit_code = 1

    def __init__(self, message: str, *, hint: str = "", fields: dict[str, object] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.fields = dict(fields or {})

    def as_dict(self) -> dict[str, object]:
        """The error as the JSON that CLI and HTTP answers carry."""
        body: dict[str, object] = {"code": self.code, "message": self.message, "hint": self.hint}
        if self.fields:
            body["fields"] = self.fields
        return body


class UserError(PercorsoError):
    code = "user_error"
    status = 400
    exit_code = 2


class WorkspaceError(UserError):
    code = "workspace"
    status = 404


class SettingsError(UserError):
    code = "settings"


class MappingError(UserError):
    code = "mapping"


class FileError(UserError):
    code = "file"


class AmountError(UserError, ValueError):
    code = "amount"


class TimeError(UserError, ValueError):
    code = "time"


class ImportConflict(UserError):
    code = "import_conflict"
    status = 409


class SpecError(UserError):
    code = "spec"


class NotFound(UserError):
    code = "not_found"
    status = 404


class NothingImported(UserError):
    code = "nothing_imported"


class DecisionRefused(UserError):
    code = "decision_refused"
    status = 409


class SqlRefused(UserError):
    code = "sql_refused"


class OperationError(PercorsoError):
    code = "operation"


class Busy(OperationError):
    code = "busy"
    status = 409


class FormatTooNew(OperationError):
    code = "format_too_new"


class StorageFailed(OperationError):
    code = "storage_failed"


class Corrupt(OperationError):
    code = "corrupt"


class EngineError(OperationError):
    code = "engine"
    status = 503


class WorkLost(EngineError):
    """What tasks had worked out went with a machine: worked out again from the start, it comes right."""

    code = "work_lost"


class SessionGone(EngineError):
    """Nobody answers any more at the other end of a session: who asks again gets a new one."""

    code = "session_gone"


def nearest(given: str, allowed: Iterable[str]) -> str:
    """The allowed value that was probably meant; "" if none is like it."""
    return next(iter(difflib.get_close_matches(given, sorted(set(allowed)), n=1, cutoff=0.6)), "")


class NearestHint(str):
    """An English hint that knows what it names, so that another language can name it, too.

    Parameters
    ----------
    meant : str
        The allowed value that was probably meant; "" if none is like it.
    listed : str
        The first allowed values, comma separated; "" if there are none.
    more : int
        How many allowed values there are if not all are listed, else 0.
    """

    meant: str
    listed: str
    more: int

    def __new__(cls, meant: str, listed: str, more: int) -> NearestHint:
        """The hint in English."""
        rest = f", … ({more} in all)" if more else ""
        parts = (f"Did you mean '{meant}'?" if meant else "", f"Allowed: {listed}{rest}." if listed else "")
        hint = super().__new__(cls, " ".join(part for part in parts if part))
        hint.meant, hint.listed, hint.more = meant, listed, more
        return hint

    def __reduce__(self) -> tuple[Any, ...]:
        """Copies and pickles know it too."""
        return NearestHint, (self.meant, self.listed, self.more)


def nearest_hint(given: str, allowed: Iterable[str], *, show: int = 12) -> NearestHint:
    """A hint that names the nearest allowed value, then the allowed values.

    Examples
    --------
    >>> nearest_hint("retial", ["retail", "loyalty"])
    "Did you mean 'retail'? Allowed: loyalty, retail."
    """
    values = sorted(set(allowed))
    return NearestHint(nearest(given, values), ", ".join(values[:show]), len(values) if len(values) > show else 0)
