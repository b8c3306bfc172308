"""Decisions by hand: what holds after everything that people decided, in the order in which they did.

A pair of identifiers has no order. Undecided at first, it is forced by a `link` and forbidden by an `unlink`. An
opposite decision cancels the one before it and leaves the pair undecided, as if neither had been taken; only a second
one then forbids or forces. The same decision again changes nothing.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from percorso.store.database.records import Decision, DecisionKind, MaskedIdentifier

__all__ = [
    "Decision",
    "DecisionKind",
    "Folded",
    "MaskedIdentifier",
    "Pair",
    "decisions_in_the_way",
    "fold",
    "joining_links",
    "pair_of",
    "standing_decisions",
]

#: Alias hashes of two identifiers, the smaller one first.
Pair: TypeAlias = tuple[bytes, bytes]


@dataclass(frozen=True, slots=True)
class Folded:
    """What holds: pairs that are one person, and pairs that are not, each in rising order."""

    forced: tuple[Pair, ...] = ()
    forbidden: tuple[Pair, ...] = ()

    def fingerprint(self) -> str:
        """Hash of what holds, 32 hex digits; "" where nothing does, whatever was decided before."""
        if not self.forced and not self.forbidden:
            return ""
        digest = hashlib.sha256(len(self.forced).to_bytes(8, "little"))
        for pair in (*self.forced, *self.forbidden):
            digest.update(pair[0])
            digest.update(pair[1])
        return digest.hexdigest()[:32]


def pair_of(a: bytes, b: bytes) -> Pair:
    """The pair of two alias hashes."""
    return (a, b) if a <= b else (b, a)


def standing_decisions(decisions: Iterable[Decision]) -> dict[Pair, Decision]:
    """The decision that holds for each decided pair: the first of several equal ones.

    Parameters
    ----------
    decisions : iterable of Decision
        In the order in which they were taken.
    """
    standing: dict[Pair, Decision] = {}
    for decision in decisions:
        pair = pair_of(decision.a.hash, decision.b.hash)
        before = standing.setdefault(pair, decision)
        if before.kind != decision.kind:
            del standing[pair]
    return standing


def fold(decisions: Iterable[Decision]) -> Folded:
    """What holds after these decisions, taken in this order."""
    standing = sorted((pair, decision.kind) for pair, decision in standing_decisions(decisions).items())
    return Folded(
        forced=tuple(pair for pair, kind in standing if kind == "link"),
        forbidden=tuple(pair for pair, kind in standing if kind == "unlink"),
    )


def joining_links(standing: Mapping[Pair, Decision], a: bytes, b: bytes) -> tuple[Decision, ...]:
    """The shortest chain of links that stand between two identifiers, from `a` on; none: nothing joins them by hand.

    Of chains of one length it is the one of the earliest links, seen from `a`.
    """
    found = _links_from(standing, a)
    chain: list[Decision] = []
    while b != a:
        if b not in found:
            return ()
        link, b = found[b]
        chain.append(link)
    return tuple(reversed(chain))


def decisions_in_the_way(
    standing: Mapping[Pair, Decision], kind: DecisionKind, a: bytes, b: bytes
) -> tuple[Decision, ...]:
    """The standing decisions that a new one about an undecided pair would contradict, none if it would not.

    A link must not make one person of a forbidden pair: the `unlink` of that pair comes first, then the links that
    lead from `a` and from `b` to its ends. An unlink must not part what other links join: these links.
    """
    if kind == "unlink":
        return joining_links(standing, a, b)
    of_a, of_b = (_links_from(standing, end).keys() | {end} for end in (a, b))
    for (x, y), decision in sorted(standing.items(), key=lambda item: item[1].id):
        if decision.kind == "unlink":
            for one, other in ((x, y), (y, x)):
                if one in of_a and other in of_b:
                    return (decision, *joining_links(standing, a, one), *joining_links(standing, b, other))
    return ()


def _links_from(standing: Mapping[Pair, Decision], start: bytes) -> dict[bytes, tuple[Decision, bytes]]:
    """Everything that links lead to from `start`: the last link of the shortest way, and where that link comes from."""
    neighbours: dict[bytes, list[tuple[Decision, bytes]]] = {}
    for (x, y), decision in sorted(standing.items(), key=lambda item: item[1].id):
        if decision.kind == "link":
            neighbours.setdefault(x, []).append((decision, y))
            neighbours.setdefault(y, []).append((decision, x))
    found: dict[bytes, tuple[Decision, bytes]] = {}
    waiting = deque([start])
    while waiting:
        here = waiting.popleft()
        for decision, there in neighbours.get(here, ()):
            if there != start and there not in found:
                found[there] = (decision, here)
                waiting.append(there)
    return found
