"""Where the nodes and ribbons of a flow lie.

Every ribbon leaves and enters with the same width, as wide as its value; the ribbons of a node fill its side. A
link over several layers passes between their nodes through places of its own. Each node has at least the height of
its label to itself, so labels cannot meet.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from percorso.charts.sankey_layers import Flowing
from percorso.charts.svg import Point

__all__ = ["Layout", "Placed", "Ribbon", "lay_out"]

_LABEL = 29.0  # a label's two lines
_GAP = 7.0
_PASS_GAP = 4.0
_LANE_GAP = 5.0
_NODE = 11.0
_SWEEPS = 7  # odd, so that the last one goes from left to right

#: A node, or a place where a long link passes a layer: layer and name; passes are named by their link.
_Spot = tuple[int, str, str]

#: Height of the upper edge of a piece where it leaves, or arrives.
_Ends = dict[tuple[_Spot, _Spot], float]


@dataclass(frozen=True, slots=True)
class Placed:
    """A node on the canvas; `value` is the larger of what comes and goes, `stays` what leads to itself."""

    key: str
    x: float
    y: float
    height: float
    value: int
    stays: int
    is_last: bool


@dataclass(frozen=True, slots=True)
class Ribbon:
    """A link on the canvas.

    `points` are its upper edge: out of one layer and into the next, in pairs. Of a link that goes `is_back` they are
    where it leaves and where it arrives, and `lane` is the height at which it runs back.
    """

    source: str
    target: str
    value: int
    thick: float
    points: tuple[Point, ...]
    is_back: bool = False
    lane: float = 0.0


@dataclass(frozen=True, slots=True)
class Layout:
    nodes: tuple[Placed, ...]
    ribbons: tuple[Ribbon, ...]
    bottom: float
    pitch: float


@dataclass(slots=True)
class _Web:
    """Spots by layer, and pieces of links between spots of neighbouring layers."""

    columns: list[list[_Spot]]
    pieces: list[tuple[_Spot, _Spot, int]]
    chains: list[tuple[Flowing, list[_Spot]]]
    back: list[Flowing]


def lay_out(
    layers: Mapping[str, int],
    flowing: Sequence[Flowing],
    drawn: Sequence[Flowing],
    *,
    left: float,
    right: float,
    top: float,
    height: float,
) -> Layout:
    """Place nodes and ribbons between `left` and `right`, from `top` downwards.

    Nodes are as high as all that is `flowing`; of that the `drawn` links get a ribbon. `height` is that of the nodes
    of the fullest layer, without what stands between them.
    """
    web = _web(layers, drawn)
    values = _values(web, flowing)
    unit = height / max(sum(values[spot] for spot in column) for column in web.columns)
    pitch = (right - left) / max(len(web.columns) - 1, 1)
    y = _places(web, values, unit, top)
    ends = _ports(web, y, unit)
    ribbons = [_forward(link, chain, ends, left, pitch, unit) for link, chain in web.chains]
    lowest = max(y[spot] + max(values[spot] * unit, _LABEL) for column in web.columns for spot in column)
    backward, lane = _backward(web, y, ends, left, pitch, unit, lowest + _LANE_GAP)
    last = len(web.columns) - 1
    stays = {source: value for source, target, value in flowing if source == target}
    nodes = tuple(
        Placed(
            spot[1],
            left + pitch * at,
            y[spot],
            values[spot] * unit,
            values[spot],
            stays.get(spot[1], 0),
            at == last,
        )
        for at, column in enumerate(web.columns)
        for spot in column
        if not spot[2]
    )
    return Layout(nodes, (*ribbons, *backward), lane if web.back else lowest, pitch)


def _forward(
    link: Flowing, chain: Sequence[_Spot], ends: tuple[_Ends, _Ends], left: float, pitch: float, unit: float
) -> Ribbon:
    points: list[Point] = []
    for a, b in pairwise(chain):
        points += [(left + pitch * a[0] + _NODE, ends[0][a, b]), (left + pitch * b[0], ends[1][a, b])]
    return Ribbon(*link, link[2] * unit, tuple(points))


def _backward(
    web: _Web,
    y: Mapping[_Spot, float],
    ends: tuple[_Ends, _Ends],
    left: float,
    pitch: float,
    unit: float,
    lane: float,
) -> tuple[list[Ribbon], float]:
    """Ribbons of what goes back, each in a lane of its own below the nodes, short ways first; and where they end."""
    spots = {spot[1]: spot for spot in y if not spot[2]}
    ribbons = []
    for source, target, value in sorted(web.back, key=lambda link: (spots[link[0]][0] - spots[link[1]][0], link)):
        a, b = spots[source], spots[target]
        points = (left + pitch * a[0] + _NODE, ends[0][a, b]), (left + pitch * b[0], ends[1][a, b])
        ribbons.append(Ribbon(source, target, value, value * unit, points, True, lane))
        lane += value * unit + _LANE_GAP
    return ribbons, lane


def _web(layers: Mapping[str, int], flowing: Sequence[Flowing]) -> _Web:
    used = sorted(set(layers.values()))
    rank = {layer: at for at, layer in enumerate(used)}
    columns: list[list[_Spot]] = [[] for _ in used]
    for key, layer in layers.items():
        columns[rank[layer]].append((rank[layer], key, ""))
    web = _Web(columns, [], [], [])
    for source, target, value in flowing:
        begin, end = rank[layers[source]], rank[layers[target]]
        if source == target:
            continue
        if end <= begin:
            web.back.append((source, target, value))
        else:
            passes: list[_Spot] = [(at, source, target) for at in range(begin + 1, end)]
            chain: list[_Spot] = [(begin, source, ""), *passes, (end, target, "")]
            for spot in passes:
                columns[spot[0]].append(spot)
            web.pieces += [(a, b, value) for a, b in pairwise(chain)]
            web.chains.append(((source, target, value), chain))
    return web


def _values(web: _Web, flowing: Sequence[Flowing]) -> dict[_Spot, int]:
    """What flows through each spot: through nodes the larger of what comes and what goes, drawn or not."""
    coming: dict[str, int] = defaultdict(int)
    going: dict[str, int] = defaultdict(int)
    stays: dict[str, int] = defaultdict(int)
    for source, target, value in flowing:
        if source == target:
            stays[source] += value
        else:
            going[source] += value
            coming[target] += value
    passing = {spot: value for _, spot, value in web.pieces if spot[2]}
    # A node that only leads to itself has nothing else to show.
    return {
        spot: passing[spot] if spot[2] else max(coming[spot[1]], going[spot[1]]) or stays[spot[1]]
        for column in web.columns
        for spot in column
    }


def _places(web: _Web, values: Mapping[_Spot, int], unit: float, top: float) -> dict[_Spot, float]:
    """The upper end of each spot, after a few sweeps that bring it near what it is linked with."""
    sizes = {
        spot: max(value * unit, 0.0 if spot[2] else _LABEL) + (_PASS_GAP if spot[2] else _GAP)
        for spot, value in values.items()
    }
    tall = max(sum(sizes[spot] for spot in column) for column in web.columns)
    centre = {}
    for column in web.columns:
        at = top
        for spot in sorted(column, key=lambda spot: (bool(spot[2]), -values[spot], spot)):
            centre[spot] = at + sizes[spot] / 2
            at += sizes[spot]
    links: dict[_Spot, list[tuple[_Spot, int]]] = defaultdict(list)
    for a, b, value in web.pieces:
        links[a].append((b, value))
        links[b].append((a, value))
    for sweep in range(_SWEEPS):
        for column in web.columns if sweep % 2 == 0 else web.columns[::-1]:
            side = -1 if sweep % 2 == 0 else 1
            wanted = {spot: _pull(spot, links[spot], centre, side) for spot in column}
            order = sorted(column, key=lambda spot: (wanted[spot], spot))
            begins = _stack([wanted[s] - sizes[s] / 2 for s in order], [sizes[s] for s in order], top, top + tall)
            centre |= {spot: begin + sizes[spot] / 2 for spot, begin in zip(order, begins, strict=True)}
    return {
        spot: centre[spot]
        - (sizes[spot] - (_PASS_GAP if spot[2] else _GAP)) / 2
        + (0.0 if spot[2] else max(0.0, (_LABEL - values[spot] * unit) / 2))
        for spot in sizes
    }


def _pull(spot: _Spot, links: Sequence[tuple[_Spot, int]], centre: Mapping[_Spot, float], side: int) -> float:
    near = [(centre[other], value) for other, value in links if (other[0] - spot[0]) * side > 0]
    total = sum(value for _, value in near)
    return sum(place * value for place, value in near) / total if total else centre[spot]


def _stack(wanted: Sequence[float], sizes: Sequence[float], low: float, high: float) -> list[float]:
    """Begins of boxes in the given order, as near to the wanted ones as can be without overlap, inside low to high.

    Pool adjacent violators on the wanted begins less the sizes before.
    """
    before = [sum(sizes[:at]) for at in range(len(sizes))]
    blocks: list[tuple[float, int]] = []
    for at, place in enumerate(wanted):
        blocks.append((place - before[at], 1))
        while len(blocks) > 1 and blocks[-2][0] > blocks[-1][0]:
            (b, n), (a, m) = blocks.pop(), blocks.pop()
            blocks.append(((a * m + b * n) / (m + n), m + n))
    shifts = [mean for mean, count in blocks for _ in range(count)]
    last = high - sum(sizes)
    return [max(low, min(shift, last)) + offset for shift, offset in zip(shifts, before, strict=True)]


def _ports(web: _Web, y: Mapping[_Spot, float], unit: float) -> tuple[_Ends, _Ends]:
    """Where each piece leaves and where it arrives: on each side in the order of the other ends, so few cross.

    What goes back leaves and arrives below all that goes forward.
    """
    leaves: _Ends = {}
    arrives: _Ends = {}
    out, into = dict(y), dict(y)
    for a, b, value in sorted(web.pieces, key=lambda piece: (y[piece[1]], piece[1])):
        leaves[a, b] = out[a]
        out[a] += value * unit
    for a, b, value in sorted(web.pieces, key=lambda piece: (y[piece[0]], piece[0])):
        arrives[a, b] = into[b]
        into[b] += value * unit
    spots = {spot[1]: spot for spot in y if not spot[2]}
    for source, target, value in web.back:
        a, b = spots[source], spots[target]
        leaves[a, b], arrives[a, b] = out[a], into[b]
        out[a] += value * unit
        into[b] += value * unit
    return leaves, arrives
