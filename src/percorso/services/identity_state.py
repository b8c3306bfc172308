"""What the last build knows of identifiers, opened for a question: the way from a workspace to its identity state."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from percorso.errors import Busy
from percorso.identity.evidence import KnownGraph, known_graph
from percorso.identity.identifiers import IdentifierRules
from percorso.identity.lookup import Identifier
from percorso.identity.masking import mask
from percorso.identity.placement import unit_ids
from percorso.identity.rules import placement_rules
from percorso.identity.state import IdentityState, open_state
from percorso.identity.tables import strong_types
from percorso.journeys.progress import Progress
from percorso.services.build import build_log, fresh_log
from percorso.services.workspace import Workspace
from percorso.store.journey_log import JourneyLog, open_log

__all__ = ["KnownIdentity", "ShownIdentifier", "known_identity"]


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
        """Ids of persons, 32 hex digits, by their units (percorso.identity.placement)."""
        pairs = (self.state.arrays["pair_w"], self.state.arrays["pair_row"])
        ids = unit_ids(self.state, pairs, np.asarray(units, dtype=np.int32), secret=self.workspace.secret)
        return [bytes(one).hex() for one in ids]

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
    state = _state_of(workspace, log)
    for full in (False, True):
        if state is None:  # another process is about to save it; or it went with an erasure
            build_log(workspace, full=full, progress=progress)
            log = open_log(workspace.log) or log
            state = _state_of(workspace, log)
    if state is None:
        raise Busy("Another process builds the journey log again and again.", hint="Ask again when it is done.")
    return KnownIdentity(
        workspace, log, state, known_graph(state), strong_types(workspace.settings.identity.own_types), personal
    )


def _state_of(workspace: Workspace, log: JourneyLog) -> IdentityState | None:
    settings = workspace.settings
    rules = IdentifierRules(settings.identity, settings.workspace.country)
    return open_state(
        workspace.state, rules, strong_types(settings.identity.own_types), log=str(log.manifest.get("state", ""))
    )
