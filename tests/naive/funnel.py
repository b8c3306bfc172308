"""What the funnel kernels compute, by trying everything: for logs of a few events only.

An attempt is a chain of distinct events; `chains` lists all that are allowed, and the rules say which one counts.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

Chain = tuple[tuple[int, int], ...]  # (position of the event, step), in order


@dataclass(frozen=True)
class Event:
    time: int
    steps: frozenset[int] = frozenset()  # from 1
    exclusions: frozenset[int] = frozenset()  # from 0


@dataclass(frozen=True)
class Rules:
    n_steps: int
    within: float = float("inf")
    step_within: float = float("inf")
    order: str = "ordered"
    start: str = "latest"
    every: bool = False
    optional: frozenset[int] = frozenset()
    exclude: tuple[tuple[int, int], ...] = ()  # (after step, before step) of each exclusion


@dataclass(frozen=True)
class Attempt:
    steps: tuple[int, ...]
    times: tuple[int, ...]


def attempts(events: list[Event], rules: Rules) -> list[Attempt]:
    """The counted attempts of one unit, whose events stand in time order."""
    ways = {
        ("any", "latest"): any_latest,
        ("any", "first"): any_first,
        ("ordered", "latest"): ordered_latest,
        ("strict", "latest"): ordered_latest,
        ("ordered", "first"): ordered_first,
        ("strict", "first"): ordered_first,
    }
    found = ways[rules.order, rules.start](events, rules)
    return found if rules.every else found[:1]


def may_follow(events: list[Event], rules: Rules, start: int, last: int, step: int, time: int) -> bool:
    """May an attempt begun at `start` whose last step came at `last` go on at `time`?"""
    if time - start > rules.within or time - last > rules.step_within:
        return False
    between = [event for event in events if last < event.time < time]
    if rules.order == "strict" and between:
        return False
    ending = {e for e, (after, before) in enumerate(rules.exclude) if after <= step < before}
    return not any(event.exclusions & ending for event in between)


def chains(events: list[Event], rules: Rules, chain: Chain = ()) -> Iterator[Chain]:
    """All attempts that begin with `chain`."""
    if chain:
        yield chain
    last_step = chain[-1][1] if chain else 0
    last_time = events[chain[-1][0]].time if chain else 0
    for at, event in enumerate(events):
        if at in {used for used, _ in chain} or (chain and event.time < last_time):
            continue
        for step in event.steps:
            skipped = set(range(last_step + 1, step))
            if step <= last_step or not skipped <= rules.optional or (not chain and step != 1):
                continue
            if chain and not may_follow(events, rules, events[chain[0][0]].time, last_time, last_step, event.time):
                continue
            yield from chains(events, rules, (*chain, (at, step)))


def as_attempt(events: list[Event], chain: Chain) -> Attempt:
    return Attempt(tuple(step for _, step in chain), tuple(events[at].time for at, _ in chain))


def counted(events: list[Event], rules: Rules) -> Attempt | None:
    """Of all attempts the furthest; of these the first to get there; then latest start, most steps, latest times."""

    def rank(attempt: Attempt) -> tuple[object, ...]:
        return (
            attempt.steps[-1],
            -attempt.times[-1],
            attempt.times[0],
            len(attempt.steps),
            attempt.times[::-1],
            [-step for step in attempt.steps],
        )

    every = [as_attempt(events, chain) for chain in chains(events, rules)]
    return max(every, key=rank, default=None)


def groups(events: list[Event]) -> list[list[Event]]:
    return [list(part) for _, part in itertools.groupby(events, key=lambda event: event.time)]


def ordered_latest(events: list[Event], rules: Rules) -> list[Attempt]:
    if not rules.every:
        best = counted(events, rules)
        return [best] if best else []
    done: list[Attempt] = []
    current: list[Event] = []  # events of the attempt that is running
    best = None
    for group in groups(events):
        alive = any(
            chain[-1][1] < rules.n_steps
            and may_follow(
                current, rules, current[chain[0][0]].time, current[chain[-1][0]].time, chain[-1][1], group[0].time
            )
            for chain in chains(current, rules)
        )
        if best and not alive:
            done.append(best)
            current, best = [], None
        current = current + group
        best = counted(current, rules)
        if best and best.steps[-1] == rules.n_steps:
            done.append(best)
            current, best = [], None
    return done + ([best] if best else [])


def ordered_first(events: list[Event], rules: Rules) -> list[Attempt]:
    done: list[Attempt] = []
    running: Attempt | None = None
    for group in groups(events):
        time = group[0].time
        for _ in range(2):  # what ends an attempt may begin the next
            moved = None
            if running is None:
                moved = best_in_group(group, rules, 0)
            elif may_follow(events, rules, running.times[0], running.times[-1], running.steps[-1], time):
                moved = best_in_group(group, rules, running.steps[-1])
            if moved:
                steps = (*(running.steps if running else ()), *moved)
                running = Attempt(steps, (*(running.times if running else ()), *([time] * len(moved))))
                break
            if running is None or may_continue(events, rules, running, time):
                break
            done.append(running)
            running = None
        if running and running.steps[-1] == rules.n_steps:
            done.append(running)
            running = None
        ending = {
            e for e, (after, before) in enumerate(rules.exclude) if running and after <= running.steps[-1] < before
        }
        if running and running.times[-1] < time and any(event.exclusions & ending for event in group):
            done.append(running)
            running = None
    return done + ([running] if running else [])


def may_continue(events: list[Event], rules: Rules, running: Attempt, time: int) -> bool:
    """Nothing happened at `time`: can the attempt still go on later?"""
    in_time = may_follow(events, rules, running.times[0], running.times[-1], running.steps[-1], time)
    return in_time and rules.order != "strict"


def best_in_group(group: list[Event], rules: Rules, level: int) -> tuple[int, ...] | None:
    """The steps that simultaneous events take an attempt of that level on by: as far, then as many as can be."""
    free = Rules(n_steps=rules.n_steps, optional=rules.optional)
    found = []
    for size in range(1, len(group) + 1):
        for some in itertools.permutations(group, size):
            for steps in itertools.product(*(sorted(event.steps) for event in some)):
                path = (level, *steps)
                rises = all(a < b and set(range(a + 1, b)) <= free.optional for a, b in itertools.pairwise(path))
                if rises and (level or steps[0] == 1):
                    found.append(steps)
    return max(found, key=lambda steps: (steps[-1], len(steps), [-step for step in steps]), default=None)


def can_serve(events: list[Event], n_steps: int) -> bool:
    """Can each of the events be a step of its own?"""
    return any(
        all(step in event.steps for step, event in zip(steps, events, strict=True))
        for steps in itertools.permutations(range(1, n_steps + 1), len(events))
    )


def any_attempt(chosen: list[Event]) -> Attempt:
    return Attempt(tuple(range(1, len(chosen) + 1)), tuple(event.time for event in chosen))


def any_first(events: list[Event], rules: Rules) -> list[Attempt]:
    done: list[Attempt] = []
    chosen: list[Event] = []
    for group in groups(events):
        time = group[0].time
        if chosen and time - chosen[0].time > rules.within:
            done.append(any_attempt(chosen))
            chosen = []
        for event in group:
            if len(chosen) < rules.n_steps and event.steps and can_serve([*chosen, event], rules.n_steps):
                chosen = [*chosen, event]
        excluded = chosen and time > chosen[0].time and any(event.exclusions for event in group)
        if len(chosen) == rules.n_steps or excluded:
            done.append(any_attempt(chosen))
            chosen = []
    return done + ([any_attempt(chosen)] if chosen else [])


def any_latest(events: list[Event], rules: Rules) -> list[Attempt]:
    done: list[Attempt] = []
    best: list[Event] = []
    usable: list[Event] = []  # events that may share a window with what comes
    for group in groups(events):
        time = group[0].time
        usable = [event for event in usable if time - event.time <= rules.within]
        if rules.every and best and not any(event.steps for event in usable):
            done.append(any_attempt(best))
            best = []
        usable = usable + group
        for size in range(len(best) + 1, rules.n_steps + 1):
            fitting = [some for some in itertools.combinations(usable, size) if can_serve(list(some), rules.n_steps)]
            if fitting:
                best = list(max(fitting, key=lambda some: [event.time for event in some][::-1]))
        if len(best) == rules.n_steps:
            done.append(any_attempt(best))
            best, usable = [], []
            if not rules.every:
                break
        if any(event.exclusions for event in group):
            usable = [event for event in usable if event.time >= time]
    return done + ([any_attempt(best)] if best else [])
