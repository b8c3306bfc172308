"""Time-outs in plain Python: the twin of percorso.kernels.timeouts."""

from __future__ import annotations

from collections.abc import Sequence

#: When, and what the event is: "there", "intent" or "goal".
Step = tuple[int, str]


def cut(steps: Sequence[Step], timeout: int, as_of: int) -> dict[str, int]:
    """What one person's events become under a time-out: journeys by how they end, and goals that are cut off."""
    found = {"journeys": 0, "converted": 0, "abandoned": 0, "open": 0, "cut_off": 0}
    intent: int | None = None  # of the journey that is open
    broken = False
    for time, what in steps:
        if time > as_of:
            continue
        if intent is not None and time - intent >= timeout:
            found["abandoned"] += 1
            intent, broken = None, True
        if intent is None:
            found["journeys"] += 1
            intent = time
        if what == "intent":
            intent = time
        if what == "goal":
            found["converted"] += 1
            found["cut_off"] += broken
            intent, broken = None, False
    if intent is not None:
        found["abandoned" if as_of - intent >= timeout else "open"] += 1
    return found
