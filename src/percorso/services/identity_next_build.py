"""What a decision will change: the identity state of the last build, resolved once more with it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

from percorso.identity.decisions import Decision, fold
from percorso.identity.graph import Graph, resolve_graph
from percorso.identity.rules import placement_rules
from percorso.identity.state import IdentityState
from percorso.kernels.arrays import I32
from percorso.services.build import rules_fingerprint
from percorso.services.identity_state import state_of
from percorso.services.workspace import Workspace
from percorso.store.journey_log import open_log

__all__ = ["NextBuild", "NextEffect", "PersonSize", "next_build"]

#: What becomes of the two identifiers' persons: two become one; one becomes two; neither; or one of the identifiers is
#: shared, and so nobody's.
NextEffect = Literal["joins", "parts", "none", "shared"]


@dataclass(frozen=True, slots=True)
class PersonSize:
    """A person: id, number of strong identifiers, and the events that carry one of them and are the person's."""

    person: str
    identifiers: int
    events: int


@dataclass(frozen=True, slots=True)
class NextBuild:
    """What the next build will make of a pair of identifiers, if no events come before it.

    Parameters
    ----------
    effect : NextEffect
    now, then : tuple of PersonSize
        Whose the two are: one person or two, fewer where an identifier is shared.
    events_moved : int
        That carry a strong identifier and go to another person, all decisions since the last build taken together.
        Events of browsers, devices and numbers follow them and are not counted.
    """

    effect: NextEffect
    now: tuple[PersonSize, ...]
    then: tuple[PersonSize, ...]
    events_moved: int

    def as_json(self) -> dict[str, Any]:
        return {
            "effect": self.effect,
            "now": [asdict(one) for one in self.now],
            "then": [asdict(one) for one in self.then],
            "events_moved": self.events_moved,
        }


def next_build(workspace: Workspace, decisions: Iterable[Decision], a: bytes, b: bytes) -> NextBuild | None:
    """What decisions will make of two identifiers.

    Parameters
    ----------
    workspace : Workspace
    decisions : iterable of Decision
        All there are, in the order in which they were taken.
    a, b : bytes
        Alias hashes of the identifiers.

    Returns
    -------
    NextBuild or None
        None where the last build cannot tell: there is none, it went by other rules, or it does not know one of the
        two. Nothing is built to find out.
    """
    log = open_log(workspace.log)
    if log is None or log.manifest.get("rules") != rules_fingerprint(workspace.settings):
        return None
    state = state_of(workspace, log)
    codes = [] if state is None else [state.code_of(a), state.code_of(b)]
    if state is None or min(codes) < 0:
        return None
    none, n_rows = np.zeros(0, dtype=np.int64), state.rows.n_rows
    rules = placement_rules(workspace.settings).resolution
    then = resolve_graph(state, state.arrays["keep"], state.arrays["time"], none, n_rows, fold(decisions), rules)
    if not then.live[codes].all():
        return None
    group, person = state.arrays["group"], state.arrays["set_person"]
    told = NextBuild(
        _effect(group[codes], then.group[codes]),
        _sizes(state, then, codes, group, person),
        _sizes(state, then, codes, then.group, then.person),
        int(then.sets.count[person != then.person].sum()),
    )
    return told if state.whole else None


def _effect(now: I32, then: I32) -> NextEffect:
    if (then < 0).any():
        return "shared"
    before, after = (bool(one[0] == one[1] and one[0] >= 0) for one in (now, then))
    return "none" if before == after else "joins" if after else "parts"


def _sizes(state: IdentityState, then: Graph, codes: list[int], group: I32, person: I32) -> tuple[PersonSize, ...]:
    """Sizes of the persons of two identifiers, by the groups of identifiers and the persons of sets at some time."""
    return tuple(
        PersonSize(
            state.alias[canonical].tobytes().hex(),
            int(((group == canonical) & (then.live == 1)).sum()),
            int(then.sets.count[person == canonical].sum()),
        )
        for canonical in dict.fromkeys(group[codes].tolist())
        if canonical >= 0
    )
