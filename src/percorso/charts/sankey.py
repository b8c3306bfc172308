"""A Sankey diagram: nodes in layers, ribbons as wide as what flows, and what goes back drawn as going back."""

from __future__ import annotations

from dataclasses import dataclass, replace

from percorso.charts.chart import Chart, Drawing, finish
from percorso.charts.frame import empty_chart, footing, heading
from percorso.charts.lettering import fit, text_width
from percorso.charts.sankey_layers import Flowing, group_small, layers_of, widest_links
from percorso.charts.sankey_layout import Layout, Placed, Ribbon, lay_out
from percorso.charts.svg import HALO, number, path, rect, text
from percorso.charts.theme import ACCENT, MUTED, QUIET, SMALL, darker
from percorso.errors import SpecError
from percorso.language.measures import SHARE
from percorso.language.words import Words

__all__ = ["FlowLink", "FlowNode", "Sankey", "draw_sankey"]

_NODE = 11.0


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowNode:
    """A node.

    Parameters
    ----------
    key : str
    name : str
        What people read; default the key.
    layer : int or None
        Its column from the left; None: found from the links.
    colour : str
        Default: the accent; grey for ends and for others.
    """

    key: str
    name: str = ""
    layer: int | None = None
    colour: str = ""


@dataclass(frozen=True, slots=True)
class FlowLink:
    """So much flows from a node to a node; one that leads to an earlier or the same layer goes back."""

    source: str
    target: str
    value: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Sankey(Drawing):
    """A flow.

    Parameters
    ----------
    nodes : tuple of FlowNode
    links : tuple of FlowLink
    first, last : tuple of str
        Keys that stand in the first and the last layer, such as "(start)" and "(end)"; never grouped.
    top : int
        How many nodes to tell apart in the whole diagram; the smallest others are one node, or one in each layer
        where layers are given.
    most_links : int
        How many ribbons to draw, the widest, and beside them the widest of each node; the note says what is left
        out. Nodes keep their full height.
    plot_height : int
        Of the tallest layer's nodes, without what stands between them.
    """

    nodes: tuple[FlowNode, ...]
    links: tuple[FlowLink, ...]
    first: tuple[str, ...] = ()
    last: tuple[str, ...] = ()
    top: int = 14
    most_links: int = 40
    plot_height: int = 260

    def __post_init__(self) -> None:
        keys = [node.key for node in self.nodes]
        if len(set(keys)) < len(keys):
            raise SpecError("Two nodes of a flow have the same key.")
        if not {key for link in self.links for key in (link.source, link.target)} <= set(keys):
            raise SpecError("A link of a flow leads from or to a node that there is not.")
        if any(link.value < 0 for link in self.links):
            raise SpecError("Nothing negative can flow.")


def draw_sankey(sankey: Sankey, words: Words) -> Chart:
    """Draw a flow."""
    flowing = [(link.source, link.target, link.value) for link in sankey.links if link.value > 0]
    heads = tuple(words.name("column", name) for name in ("from", "to", "count", "probability"))
    if not flowing:
        return empty_chart(sankey, heads, words)
    kept = (*sankey.first, *sankey.last)
    layers, flowing, names_of_others = _grouped(sankey, flowing, kept)
    names = {node.key: node.name or node.key for node in sankey.nodes}
    names |= {key: words.text("charts.others", n=count) for key, count in names_of_others.items()}
    drawn = widest_links(flowing, sankey.most_links)
    sankey = replace(sankey, note=_note(sankey, flowing, drawn, words))
    colours = {node.key: node.colour or (QUIET if node.key in kept else ACCENT) for node in sankey.nodes}
    parts, y = heading(sankey)
    behind = _last_labels(layers, names, sankey.width)
    layout = lay_out(
        layers, flowing, drawn, left=0.0, right=sankey.width - behind - _NODE, top=y, height=sankey.plot_height
    )
    parts += [_ribbon(ribbon, colours.get(ribbon.source, QUIET), names, words) for ribbon in layout.ribbons]
    for node in layout.nodes:
        parts += _node(node, colours.get(node.key, QUIET), names, layout, behind, words)
    below, height = footing(sankey, layout.bottom)
    table = heads, _rows(flowing, names, words)
    return finish(sankey, [*parts, *below], height, table, words, description=_said(flowing, names, words))


def _grouped(
    sankey: Sankey, flowing: list[Flowing], kept: tuple[str, ...]
) -> tuple[dict[str, int], list[Flowing], dict[str, int]]:
    """Layers and links with the small nodes made one; names of these by how many they are."""
    given = {node.key: node.layer for node in sankey.nodes if node.layer is not None}
    keys = [node.key for node in sankey.nodes]
    if len(given) == len(keys):
        return group_small(layers_of(keys, flowing, (), (), given), flowing, sankey.top, kept)
    flat = {key: 0 for source, target, _ in flowing for key in (source, target)}
    together, flowing, others = group_small(flat, flowing, sankey.top, kept)
    ordered = sorted(together, key=lambda key: keys.index(key) if key in keys else len(keys))
    return layers_of(ordered, flowing, sankey.first, sankey.last, given), flowing, others


def _note(sankey: Sankey, flowing: list[Flowing], drawn: list[Flowing], words: Words) -> str:
    """The note, and before it what is too small to be drawn, and what leads to itself."""
    said = []
    left = len(flowing) - len(drawn)
    if left:
        total = sum(value for _, _, value in flowing)
        share = words.numbers.share(1 - sum(value for _, _, value in drawn) / total)
        said.append(words.text("charts.links_left_out", n=left, share=share))
    if any(source == target for source, target, _ in flowing):
        said.append(words.text("charts.stays_note"))
    return " ".join([*said, sankey.note]).rstrip()


def _last_labels(layers: dict[str, int], names: dict[str, str], width: float) -> float:
    last = max(layers.values())
    widest = max(text_width(names[key], SMALL, bold=True) for key, layer in layers.items() if layer == last)
    return min(max(widest + 12, 60.0), 0.24 * width)


def _ribbon(ribbon: Ribbon, colour: str, names: dict[str, str], words: Words) -> str:
    title = f"{names[ribbon.source]} → {names[ribbon.target]}: {words.numbers.count(ribbon.value)}"
    if ribbon.is_back:
        d = _back_path(ribbon)
        back = path(
            d, title=title, fill="none", stroke=colour, stroke_width=max(ribbon.thick, 0.75), stroke_opacity=0.3
        )
        return back + "\n" + _arrow(ribbon, colour)
    upper, lower = [], []
    points = ribbon.points
    for (x0, y0), (x1, y1) in zip(points[::2], points[1::2], strict=True):
        upper.append((x0, y0, x1, y1))
        lower.append((x1, y1 + ribbon.thick, x0, y0 + ribbon.thick))
    d = f"M{number(upper[0][0])} {number(upper[0][1])}" + _curves(upper)
    d += f"V{number(lower[-1][1])}" + _curves(lower[::-1]) + "Z"
    return path(d, title=title, fill=colour, fill_opacity=0.35, stroke=colour, stroke_opacity=0.35, stroke_width=0.5)


def _curves(pieces: list[tuple[float, float, float, float]]) -> str:
    """S-curves from column to column, straight across the columns between."""
    parts = []
    for at, (x0, y0, x1, y1) in enumerate(pieces):
        if at:
            parts.append(f"L{number(x0)} {number(y0)}")
        middle = number((x0 + x1) / 2)
        parts.append(f"C{middle} {number(y0)} {middle} {number(y1)} {number(x1)} {number(y1)}")
    return "".join(parts)


def _back_path(ribbon: Ribbon) -> str:
    """Out of the source to the right, down below everything, back, and up into the target from the left."""
    (x0, y0), (x1, y1) = ribbon.points
    half = ribbon.thick / 2
    y0, y1, lane = y0 + half, y1 + half, ribbon.lane + half
    out, back = x0 + 8 + half, x1 - 8 - half
    r = min(10 + half, abs(lane - y0) / 2, abs(lane - y1) / 2)
    n = number
    down = f"M{n(x0)} {n(y0)}Q{n(out)} {n(y0)} {n(out)} {n(y0 + r)}V{n(lane - r)}"
    across = f"Q{n(out)} {n(lane)} {n(out - r)} {n(lane)}H{n(back + r)}Q{n(back)} {n(lane)} {n(back)} {n(lane - r)}"
    return f"{down}{across}V{n(y1 + r)}Q{n(back)} {n(y1)} {n(x1)} {n(y1)}"


def _arrow(ribbon: Ribbon, colour: str) -> str:
    """Which way it goes, in the middle of the way back."""
    x, y = (ribbon.points[0][0] + ribbon.points[1][0]) / 2, ribbon.lane + ribbon.thick / 2
    return path(
        f"M{number(x + 4)} {number(y - 4)}L{number(x - 4)} {number(y)}L{number(x + 4)} {number(y + 4)}Z",
        fill=darker(colour),
    )


def _node(node: Placed, colour: str, names: dict[str, str], layout: Layout, behind: float, words: Words) -> list[str]:
    many = words.numbers.count(node.value)
    if node.stays:
        many += " " + words.text("charts.stays", n=words.numbers.compact(node.stays))
    title = f"{names[node.key]}: {many}"
    room = (behind if node.is_last else layout.pitch - _NODE) - 6
    x, middle = node.x + _NODE + 5, node.y + node.height / 2
    full = names[node.key]
    return [
        rect(node.x, node.y, _NODE, max(node.height, 1.0), fill=colour, title=title),
        text(x, middle - 2, fit(full, room, SMALL, bold=True), size=SMALL, bold=True, full=full, **HALO),
        text(x, middle + 11, fit(many, room, SMALL), size=SMALL, fill=MUTED, full=many, **HALO),
    ]


def _rows(flowing: list[Flowing], names: dict[str, str], words: Words) -> tuple[tuple[str, ...], ...]:
    leaving: dict[str, int] = {}
    for source, _, value in flowing:
        leaving[source] = leaving.get(source, 0) + value
    ordered = sorted(flowing, key=lambda link: (-link[2], link[0], link[1]))
    return tuple(
        (
            names[source],
            names[target],
            words.numbers.count(value),
            words.numbers.show(value / leaving[source], SHARE),
        )
        for source, target, value in ordered
    )


def _said(flowing: list[Flowing], names: dict[str, str], words: Words) -> str:
    source, target, value = max(flowing, key=lambda link: (link[2], link[0], link[1]))
    return words.text("charts.flow_says", source=names[source], target=names[target], n=value)
