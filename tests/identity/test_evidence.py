"""Evidence of the last build: it must agree with what the build decided, whatever the rows."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from percorso.identity.event_evidence import RowEvidence, evidence_of, rows_of_message
from percorso.identity.evidence import KnownGraph, broken_limits, joints_of, known_graph, way_between
from percorso.identity.resolution import REFUSED_LIMIT
from percorso.identity.rules import placement_rules
from percorso.identity.state import IdentityState
from percorso.settings import Settings
from tests.identity.compiled import Steps, folded
from tests.identity.test_identity_cases import many, on
from tests.identity.test_placement import DECISIONS, RULES, decided, events

PLACED = placement_rules(Settings(identity=RULES))


def placed(folder: Path, rows: list[dict[str, Any]], drawn: list[tuple[bool, int, int]]) -> IdentityState:
    decisions = decided(drawn)
    steps = Steps(folder, RULES)
    steps.add(rows)
    steps.place(folded(decisions.forced, decisions.forbidden))
    return steps.state


@settings(max_examples=120, deadline=None)
@given(st.lists(events(), min_size=1, max_size=14), DECISIONS)
def test_evidence_agrees_with_what_was_decided(
    memory: Path, rows: list[dict[str, Any]], drawn: list[tuple[bool, int, int]]
) -> None:
    with tempfile.TemporaryDirectory(dir=memory) as folder:
        state = placed(Path(folder), rows, drawn)
        graph = known_graph(state)
        a_tree_joins_every_person_s_identifiers(graph)
        for row in np.flatnonzero(state.arrays["keep"]).tolist():
            what_the_rule_looked_at_names_the_person(state, graph, evidence_of(state, graph, PLACED.timelines, row))
        the_limit_named_is_one_that_both_sides_break(graph)


def a_tree_joins_every_person_s_identifiers(graph: KnownGraph) -> None:
    refused = {frozenset(pair) for pair in zip(graph.refused.better, graph.refused.worse, strict=True)}
    for code in np.flatnonzero((graph.live == 1) & (graph.shared == 0)).tolist():
        people = graph.people_of(code)
        assert people[0] == graph.group[code]  # the canonical identifier is the best one
        joints = joints_of(graph, people)
        assert len(joints) == len(people) - 1
        assert not {frozenset((joint.better, joint.worse)) for joint in joints} & refused
        way = way_between(joints, code, people[0])
        assert (not way) == (code == people[0])
        assert not way or code in (way[0].better, way[0].worse)


def what_the_rule_looked_at_names_the_person(state: IdentityState, graph: KnownGraph, found: RowEvidence) -> None:
    unit, time = state.arrays["unit"], state.arrays["time"]
    mine = unit[found.row]
    before = found.login is not None and time[found.login] <= time[found.row]
    if found.rule == "strong":
        assert found.strong is not None
        assert 4 * graph.group[found.strong] == mine
    elif found.rule == "login_before":
        assert before
        assert unit[found.login] == mine
    elif found.rule == "login_after":
        assert found.login is None
        assert found.next_login is not None
        assert unit[found.next_login] == mine
        assert time[found.next_login] - time[found.row] <= RULES.backfill_us
    elif found.rule == "signed_out_same":
        assert before
        assert found.sign_out is not None
        assert found.next_login is not None
        assert unit[found.login] == unit[found.next_login] == mine
    elif found.rule == "signed_out":
        assert found.sign_out is not None
        assert state.rows.column("signed_out")[found.sign_out]
        assert found.next_login is None or unit[found.next_login] != unit[found.login]
    elif found.rule == "reference":
        assert found.owner is not None
        assert unit[found.owner] == mine
    elif found.rule == "anonymous":
        assert found.login is None
    elif found.rule == "unidentified":
        assert mine == -1
    message = state.rows.message_ids(np.array([found.row]))[0].decode()
    source = state.rows.sources[int(state.rows.column("source")[found.row])]
    assert rows_of_message(state, message)[source] == found.row


def the_limit_named_is_one_that_both_sides_break(graph: KnownGraph) -> None:
    limits = PLACED.resolution.limits
    places = np.flatnonzero(graph.refused.why == REFUSED_LIMIT)
    for place, rank in zip(places.tolist(), broken_limits(graph, places, limits).tolist(), strict=True):
        ends = [int(graph.refused.better[place]), int(graph.refused.worse[place])]
        if any(graph.shared[end] for end in ends):
            continue
        held = [[other for other in graph.people_of(end) if graph.ids.rank[other] == rank] for end in ends]
        assert rank >= 0
        # Of one space there are too many; links may make several count once, so that this is no equation.
        assert len(held[0]) + len(held[1]) > limits[rank]
        assert all(held)


def test_a_shared_phone_names_the_limit_of_its_accounts(tmp_path: Path) -> None:
    rows = [*many(10, "u1", user_id="u1", phone="347 1234567"), *many(9, "u2", user_id="u2", phone="347 1234567")]
    rows.append(on(5, "e3", email="c@x.it", phone="347 1234567"))
    graph = known_graph(placed(tmp_path, rows, []))
    places = np.flatnonzero(graph.refused.why == REFUSED_LIMIT)
    assert broken_limits(graph, places, PLACED.resolution.limits).tolist() == [0] * len(places)
    assert len(places) > 0
