"""What the last build knows of identifiers, opened for a question: the way from a workspace to its identity state."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from percorso.errors import Busy, Corrupt
from percorso.identity.evidence import KnownGraph, known_graph
from percorso.identity.identifiers import IdentifierRules
from percorso.identity.lookup import Identifier
from percorso.identity.masking import mask
from percorso.identity.rules import placement_rules
from percorso.identity.state import IdentityState, LakeRange, open_state
from percorso.identity.tables import strong_types
from percorso.identity.units import unit_ids
from percorso.journeys.progress import Progress
from percorso.services.build import build_log, fresh_log
from percorso.services.engine import choose_engine
from percorso.services.workspace import Workspace
from percorso.store.files import AnyPath
from percorso.store.journey_log import JourneyLog, open_log
from percorso.store.lake_tables import EVENTS

__all__ = ["KnownIdentity", "ShownIdentifier", "answer_of", "known_identity", "state_of"]

_Answer = TypeVar("_Answer")

#: Builds of others that may come between reading a log and opening its state.
_MOST_TRIES = 5


@dataclass(frozen=True, slots=True)
class ShownIdentifier:
    """An identifier as it may be shown: `value` is masked, or raw where that was asked for.

    Parameters
    ----------
    type : str
    space : str, optional
        None for e-mail and phone, which have one space.
    value : str
    """

    type: str
    space: str | None
    value: str

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class KnownIdentity:
    """The identity state, with the journey log that it belongs to.

    Parameters
    ----------
    workspace : Workspace
    log : JourneyLog
    state : IdentityState
    graph : KnownGraph
    kinds : tuple of str
        Types of strong identifiers by falling priority.
    personal : bool
        Show identifiers as they are.
    """

    workspace: Workspace
    log: JourneyLog
    state: IdentityState
    graph: KnownGraph
    kinds: tuple[str, ...]
    personal: bool

    def identifier(self, code: int, *, weak: bool = False) -> Identifier:
        """A strong or a weak identifier by its code."""
        text = (self.state.weak if weak else self.state.strong).texts(np.array([code]))[0]
        return Identifier(*text.decode().split("\0", 2))

    def shown(self, code: int, *, weak: bool = False) -> ShownIdentifier:
        """The same, as it may be shown."""
        one = self.identifier(code, weak=weak)
        value = one.value if self.personal else mask(one.kind, one.value)
        return ShownIdentifier(one.kind, one.space or None, value)

    def persons(self, units: Sequence[int] | npt.NDArray[Any]) -> list[str]:
        """Ids of persons, 32 hex digits, by their units (percorso.identity.units)."""
        pairs = (self.state.arrays["pair_w"], self.state.arrays["pair_row"])
        ids = unit_ids(self.state, pairs, np.asarray(units, dtype=np.int32), secret=self.workspace.secret)
        return [bytes(one).hex() for one in ids]

    def lake_path(self, part: LakeRange) -> AnyPath:
        """A file of the lake that the log was made of; it may have left the lake since, and be deleted."""
        return self.workspace.lake / EVENTS.name / part.path

    def limits(self) -> npt.NDArray[np.int32]:
        """Identifiers that a person can have, by rank of the type."""
        return placement_rules(self.workspace.settings).resolution.limits


def known_identity(
    workspace: Workspace,
    *,
    personal: bool = False,
    log: JourneyLog | None = None,
    progress: Progress = lambda phase, done, total: None,
) -> KnownIdentity:
    """The identity state of the log that answers; both are built where they are missing or stale.

    Parameters
    ----------
    workspace : Workspace
    personal : bool
        Show identifiers as they are.
    log : JourneyLog, optional
        Fresh; by default the workspace's, built first where it is stale.
    progress : callable, optional
        As of :func:`percorso.services.build.build_log`.

    Raises
    ------
    NothingImported
        There are no events yet.
    Busy
        Other processes build all the while.
    """
    log = fresh_log(workspace, progress=progress) if log is None else log
    full = False
    for _ in range(_MOST_TRIES):
        state = state_of(workspace, log)
        if state is not None:
            kinds = strong_types(workspace.settings.identity.own_types)
            return KnownIdentity(workspace, log, state, known_graph(state), kinds, personal)
        build_log(choose_engine(workspace, "local"), full=full, progress=progress)  # a cluster keeps no state
        before, log = log.state, open_log(workspace.log) or log
        # Another log: another process has built meanwhile, or was about to save the state. The same: the state is lost.
        full = log.state == before
    raise Busy("Another process builds the journey log again and again.", hint="Ask again when it is done.")


def answer_of(
    workspace: Workspace,
    question: Callable[[KnownIdentity], _Answer],
    *,
    personal: bool = False,
    log: JourneyLog | None = None,
) -> _Answer:
    """The answer to a question about one and the same identity state, whatever other processes do meanwhile.

    Builds leave alone what is opened. An erasure does not: it overwrites what is known of a person while others read,
    and deletes files of the lake. What was asked then is asked once more.

    Parameters
    ----------
    workspace, personal, log
        As of :func:`known_identity`.
    question : callable
        May be called several times.

    Raises
    ------
    Busy
        An erasure has deleted events that the answer needs, and the build after it is still under way.
    """
    while True:
        known = known_identity(workspace, personal=personal, log=log)
        try:
            answer = question(known)
        except (FileNotFoundError, Corrupt) as error:
            if not _is_over(known):
                if isinstance(error, Corrupt):
                    raise
                raise Busy(
                    "Events that the answer needs are being taken away by another process.",
                    hint="Ask again when the erasure is done.",
                ) from error
        except Exception:
            if known.state.whole:
                raise
        else:
            if known.state.whole:
                return answer
        log = None  # each turn needs an erasure that has come between


def _is_over(known: KnownIdentity) -> bool:
    """Is there another log by now, or will there be at once?"""
    now = open_log(known.workspace.log)
    return not known.state.whole or now is None or now.state != known.log.state


def state_of(workspace: Workspace, log: JourneyLog) -> IdentityState | None:
    """The identity state that a log was built with, if it is still there."""
    settings = workspace.settings
    rules = IdentifierRules(settings.identity, settings.workspace.country)
    return open_state(workspace.state, rules, strong_types(settings.identity.own_types), log=log.state)
