"""How long it takes to say who is one person, apart from the rest of a build:

    python -m benchmarks.resolution WORKSPACE [--runs 3]

takes the identity state that the last full build of the workspace left and works it out again, from nothing:
the graph alone (hubs, components, joining of all identifiers), and the whole phase (which copy counts, times,
the graph, timelines of browsers and devices, reference keys). Compares with what the build found; prints JSON.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from percorso.identity.identifiers import IdentifierRules
from percorso.identity.placement import Placement, place_rows
from percorso.identity.resolution import (
    IdentifierSets,
    Pairs,
    Resolution,
    find_hubs,
    label_components,
    resolve,
)
from percorso.identity.rules import placement_rules
from percorso.identity.state import IdentityState, open_state
from percorso.identity.tables import strong_types
from percorso.services.decisions import folded_decisions
from percorso.services.workspace import Workspace, open_workspace
from percorso.store.journey_log import open_log

__all__ = ["main"]


def state_of(workspace: Workspace) -> IdentityState:
    """The identity state of the journey log that is there."""
    log, identity = open_log(workspace.log), workspace.settings.identity
    rules = IdentifierRules(identity, workspace.settings.workspace.country)
    state = log and open_state(workspace.state, rules, strong_types(identity.own_types), log=log.state)
    if not state or not state.arrays:
        raise SystemExit("that workspace has no identity state: build it first")
    return state


def graph_of(state: IdentityState, workspace: Workspace) -> dict[str, Any]:
    """Seconds of the three steps over all identifiers, as a full build runs them; and how large the graph is."""
    arrays, ids = state.arrays, state.strong.identifiers()
    offsets, members = state.sets.sets()
    sets = IdentifierSets(
        offsets, members, *(np.array(arrays[f"set_{name}"]) for name in ("count", "first", "trusted"))
    )
    pairs = Pairs(np.array(arrays["forced"]), np.array(arrays["forbidden"]))
    rules = placement_rules(workspace.settings).resolution
    every, times = np.ones(len(state.strong), dtype=np.uint8), []
    began = time.perf_counter()
    hub = find_hubs(ids, sets, rules, every)
    times.append(time.perf_counter())
    label = label_components(ids, sets, pairs, hub)
    times.append(time.perf_counter())
    found: Resolution = resolve(ids, sets, pairs, rules, hub, label, every)
    times.append(time.perf_counter())
    live = arrays["live"] == 1
    if not np.array_equal(found.group[live], arrays["group"][live]):
        raise RuntimeError("the graph is another than the build's")
    hubs_s, components_s, joining_s = np.diff([began, *times]).tolist()
    return {
        "hubs_s": hubs_s,
        "components_s": components_s,
        "joining_s": joining_s,
        "graph_s": hubs_s + components_s + joining_s,
        "components": len(np.unique(label[live & (label >= 0)])),
        "groups": len(np.unique(found.group[live & (found.group >= 0)])),
        "shared": int((found.shared[live] > 0).sum()),
    }


def edges_of(state: IdentityState) -> int:
    """Different pairs of identifiers that stand on one event."""
    offsets, members = state.sets.sets()
    sizes = np.where(state.arrays["set_count"] > 0, np.diff(offsets), 0)
    keys = [np.zeros(0, np.int64)]
    for second in range(1, int(sizes.max(initial=0))):
        at = offsets[:-1][sizes > second]
        for first in range(second):
            pair = np.sort(np.stack([members[at + first], members[at + second]]).astype(np.int64), axis=0)
            keys.append(pair[0] << 32 | pair[1])
    return len(np.unique(np.concatenate(keys)))


def placed(state: IdentityState, workspace: Workspace) -> tuple[float, Placement]:
    """Seconds of the whole phase upon nothing."""
    arrays, alias = state.arrays, state.alias
    gone = np.array(arrays["gone"])
    state.arrays, state.alias = {}, alias[:0]
    began = time.perf_counter()
    placement = place_rows(
        state,
        gone,
        placement_rules(workspace.settings),
        folded_decisions(workspace),
        secret=workspace.secret,
        memory_bytes=workspace.memory_bytes // 3,
    )
    seconds = time.perf_counter() - began
    state.arrays = arrays
    if not (np.array_equal(placement.unit, arrays["unit"]) and np.array_equal(state.alias, alias)):
        raise RuntimeError("rows are placed otherwise than by the build")
    return seconds, placement


def median_of(run: Callable[[], dict[str, Any]], runs: int) -> dict[str, Any]:
    """Medians of the figures that are seconds, after one run that does not count."""
    every = [run() for _ in range(runs + 1)][1:]
    seconds = {name: statistics.median(each[name] for each in every) for name in every[0] if name.endswith("_s")}
    return every[0] | seconds


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.resolution", description=__doc__)
    parser.add_argument("workspace", type=Path)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args(arguments)
    workspace = open_workspace(options.workspace)
    state = state_of(workspace)
    sizes = {
        "rows": state.rows.n_rows,
        "strong": int((state.arrays["live"] == 1).sum()),
        "weak": len(state.weak),
        "edges": edges_of(state),
    }
    graph = median_of(lambda: graph_of(state, workspace), options.runs)
    whole = median_of(lambda: {"placing_s": placed(state, workspace)[0]}, options.runs)
    print(json.dumps(sizes | graph | whole))


if __name__ == "__main__":
    main()
