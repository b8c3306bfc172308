"""Flows: ribbons add up to their nodes, what goes back goes back, what is left out is said."""

from __future__ import annotations

from collections import defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from percorso.charts.sankey import FlowLink, FlowNode, Sankey, draw_sankey
from percorso.charts.sankey_layers import Flowing, group_small, layers_of, widest_links
from percorso.charts.sankey_layout import Layout, lay_out
from percorso.language.words import Words
from tests.charts.drawn import assert_sound, elements, text_boxes

KEYS = "abcdefgh"
links = st.dictionaries(
    st.tuples(st.sampled_from(KEYS), st.sampled_from(KEYS)), st.integers(1, 500), min_size=1, max_size=24
)


def laid_out(flowing: list[Flowing]) -> tuple[Layout, dict[str, int]]:
    layers = layers_of(list(KEYS), flowing, ("a",), ("h",), {})
    return lay_out(layers, flowing, flowing, left=0, right=600, top=0, height=260), layers


@given(links)
def test_ribbons_add_up_to_their_nodes(counts: dict[tuple[str, str], int]) -> None:
    flowing = [(source, target, value) for (source, target), value in counts.items()]
    layout, layers = laid_out(flowing)
    unit = max(node.height / node.value for node in layout.nodes)
    going: dict[str, float] = defaultdict(float)
    coming: dict[str, float] = defaultdict(float)
    for ribbon in layout.ribbons:
        assert ribbon.thick == pytest.approx(ribbon.value * unit)
        assert ribbon.is_back == (layers[ribbon.target] <= layers[ribbon.source])
        going[ribbon.source] += ribbon.thick
        coming[ribbon.target] += ribbon.thick
    for node in layout.nodes:
        if going[node.key] or coming[node.key]:
            assert node.height == pytest.approx(max(going[node.key], coming[node.key]))
        assert node.stays == counts.get((node.key, node.key), 0)
    assert len(layout.ribbons) == sum(source != target for source, target in counts)


@given(links)
def test_ribbons_leave_and_arrive_side_by_side_inside_their_nodes(counts: dict[tuple[str, str], int]) -> None:
    layout, _ = laid_out([(source, target, value) for (source, target), value in counts.items()])
    nodes = {node.key: node for node in layout.nodes}
    sides: dict[tuple[str, str], list[tuple[float, float]]] = defaultdict(list)
    for ribbon in layout.ribbons:
        sides[ribbon.source, "out"].append((ribbon.points[0][1], ribbon.thick))
        sides[ribbon.target, "in"].append((ribbon.points[-1][1], ribbon.thick))
    for (key, _), ends in sides.items():
        ends.sort()
        at = nodes[key].y
        for y, thick in ends:
            assert y == pytest.approx(at, abs=1e-6)
            at = y + thick
        assert at <= nodes[key].y + nodes[key].height + 1e-6


@given(links)
def test_drawn_flows_are_sound(counts: dict[tuple[str, str], int]) -> None:
    nodes = tuple(FlowNode(key=key, name=key * 9) for key in KEYS)
    flow = Sankey(
        title="x", nodes=nodes, links=tuple(FlowLink(*ends, value) for ends, value in counts.items()),
        first=("a",), last=("h",), top=4, most_links=6,
    )  # fmt: skip
    assert_sound(draw_sankey(flow, Words("it")))


def test_stages_stand_in_the_order_in_which_they_are_reached() -> None:
    going = {"sa": 60, "sb": 40, "ab": 30, "bc": 20, "cb": 5, "ae": 30, "be": 55, "ce": 15}
    flowing = [(ends[0], ends[1], value) for ends, value in going.items()]
    assert layers_of(list("sabce"), flowing, ("s",), ("e",), {}) == {"s": 0, "a": 1, "b": 2, "c": 3, "e": 4}


def test_given_layers_stand() -> None:
    assert layers_of(["x", "y"], [("x", "y", 1)], (), (), {"x": -2, "y": -1}) == {"x": 0, "y": 1}


def test_small_nodes_are_one_and_nothing_is_lost() -> None:
    flowing = [("a", "b", 50), ("a", "c", 2), ("a", "d", 1), ("c", "b", 2), ("d", "c", 1)]
    layers, grouped, others = group_small({"a": 0, "b": 1, "c": 1, "d": 1}, flowing, 2, ())
    (other,) = others
    assert others == {other: 2}
    assert layers == {"a": 0, "b": 1, other: 1}
    assert sorted(grouped) == sorted([("a", "b", 50), ("a", other, 3), (other, "b", 2), (other, other, 1)])


def test_no_node_stands_alone() -> None:
    flowing = [("a", "b", 50), ("a", "c", 40), ("d", "e", 1), ("e", "d", 1)]
    assert widest_links(flowing, 1) == [*flowing[:2], ("d", "e", 1), ("e", "d", 1)]
    flowing = [("a", "b", 9), ("a", "c", 3), ("b", "c", 2), ("a", "d", 1), ("c", "d", 8)]
    assert widest_links(flowing, 1) == [("a", "b", 9), ("c", "d", 8), ("a", "c", 3), ("b", "c", 2)]


def test_what_is_not_drawn_is_said() -> None:
    nodes = tuple(FlowNode(key=key) for key in "abc")
    counted = (FlowLink("a", "b", 90), FlowLink("b", "c", 8), FlowLink("a", "c", 2))
    chart = draw_sankey(Sankey(title="x", nodes=nodes, links=counted, most_links=1), Words("en"))
    assert "1 small link (2.0\u00a0% of all) is not drawn." in {box.text for box in text_boxes(chart)}
    assert len(chart.rows) == 3
    assert chart.rows[0] == ("a", "b", "90", "97.8\u00a0%")
    titles = {title.text for title in elements(chart, "title")}
    assert {"x", "a → b: 90", "b → c: 8"} <= titles
    assert "a → c: 2" not in titles


def test_a_loop_is_written_at_its_node() -> None:
    nodes = tuple(FlowNode(key=key) for key in "ab")
    counted = (FlowLink("a", "b", 9), FlowLink("a", "a", 4))
    chart = draw_sankey(Sankey(title="x", nodes=nodes, links=counted), Words("it"))
    assert "9 + 4" in {box.text for box in text_boxes(chart)}
