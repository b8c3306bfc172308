"""Which layer each node of a flow stands in, and which small nodes are shown as one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence

__all__ = ["Flowing", "group_small", "layers_of", "widest_links"]

#: From, to, how much.
Flowing = tuple[str, str, int]

_MOST_LAYERS = 5  # between the first and the last
_SWEEPS = 60
_NEIGHBOURS = 0.04  # nodes that exchange more than that share of the smaller one stand in different layers


def layers_of(
    keys: Sequence[str],
    flowing: Sequence[Flowing],
    first: Collection[str],
    last: Collection[str],
    given: Mapping[str, int],
) -> dict[str, int]:
    """The layer of each node that anything flows through.

    Given layers stand. Others come from the mean number of links on the way there: the solution of
    position = 1 + mean of the sources' positions, each weighted by what comes from it, found by relaxation. In that
    order nodes share a layer unless they exchange a good part of what they have.
    """
    seen = {key for source, target, _ in flowing for key in (source, target)}
    alive = [key for key in keys if key in seen]
    if all(key in given for key in alive):
        least = min(given[key] for key in alive)
        return {key: given[key] - least for key in alive}
    position = _positions(alive, flowing, first)
    between = sorted(
        (key for key in alive if key not in first and key not in last), key=lambda key: (position[key], key)
    )
    layers = {key: 0 for key in alive if key in first}
    at = 1 if layers else 0
    weight = _exchanged(flowing)
    through = _through(flowing)
    inside: list[str] = []
    for rank, key in enumerate(between):
        near = any(weight[key, other] > _NEIGHBOURS * min(through[key], through[other]) for other in inside)
        left = len(between) - rank
        if inside and near and at < _MOST_LAYERS and left:
            at, inside = at + 1, []
        layers[key] = at
        inside.append(key)
    return layers | {key: at + 1 for key in alive if key in last and key not in first}


def _positions(keys: Sequence[str], flowing: Sequence[Flowing], first: Collection[str]) -> dict[str, float]:
    incoming: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for source, target, value in flowing:
        if source != target and target not in first:
            incoming[target].append((source, value))
    position = dict.fromkeys(keys, 0.0)
    for _ in range(_SWEEPS):
        fresh = {}
        for key in keys:
            total = sum(value for _, value in incoming[key])
            mean = sum(position[source] * value for source, value in incoming[key]) / total if total else -1.0
            fresh[key] = mean + 1
        position = fresh
    return position


def _exchanged(flowing: Sequence[Flowing]) -> dict[tuple[str, str], int]:
    weight: dict[tuple[str, str], int] = defaultdict(int)
    for source, target, value in flowing:
        weight[source, target] += value
        weight[target, source] += value
    return weight


def _through(flowing: Sequence[Flowing]) -> dict[str, int]:
    """What flows through each node: the larger of what comes and what goes."""
    coming: dict[str, int] = defaultdict(int)
    going: dict[str, int] = defaultdict(int)
    for source, target, value in flowing:
        going[source] += value
        coming[target] += value
    return {key: max(coming[key], going[key]) for key in {*coming, *going}}


def group_small(
    layers: Mapping[str, int], flowing: Sequence[Flowing], top: int, kept: Collection[str]
) -> tuple[dict[str, int], list[Flowing], dict[str, int]]:
    """Make one node of the smallest nodes of each layer, so that `top` and the `kept` ones are told apart.

    Returns
    -------
    layers, flowing
        With the others under keys of their own; what flows is the same in sum.
    others : dict of str to int
        How many nodes each of these keys stands for; a node that would stand alone is not renamed.
    """
    through = _through(flowing)
    ranked = sorted((key for key in layers if key not in kept), key=lambda key: (-through[key], key))
    small: dict[int, list[str]] = defaultdict(list)
    for key in ranked[top:]:
        small[layers[key]].append(key)
    renamed = {key: f"\0other {layer}" for layer, keys in small.items() if len(keys) > 1 for key in keys}
    summed: dict[tuple[str, str], int] = defaultdict(int)
    for source, target, value in flowing:
        summed[renamed.get(source, source), renamed.get(target, target)] += value
    others = {f"\0other {layer}": len(keys) for layer, keys in small.items() if len(keys) > 1}
    grouped = {renamed.get(key, key): layer for key, layer in layers.items()}
    return grouped, [(source, target, value) for (source, target), value in summed.items()], others


def widest_links(flowing: Sequence[Flowing], most: int) -> list[Flowing]:
    """The widest links, and the widest into and out of each node, so that none stands alone; widest first."""
    ordered = sorted(flowing, key=lambda link: (-link[2], link[0], link[1]))
    coming: dict[str, Flowing] = {}
    going: dict[str, Flowing] = {}
    for link in ordered:
        if link[0] != link[1]:
            going.setdefault(link[0], link)
            coming.setdefault(link[1], link)
    shown = {*ordered[:most], *coming.values(), *going.values()}
    return [link for link in ordered if link in shown]
