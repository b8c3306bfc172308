"""Paths by position, from one node forward or to one backward: what a Sankey diagram draws."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from percorso.analyses.edges import END, START
from percorso.analyses.paths import PathPlan, stream_of
from percorso.engines.buckets import sum_buckets
from percorso.kernels.arrays import I32, I64, Bools
from percorso.kernels.flow import number_keys, steps_backward, steps_forward
from percorso.store.journey_log import Bucket, JourneyLog

__all__ = ["OTHER", "LinkPartial", "count_steps", "persons_on_link", "shown_links"]

OTHER = "(other)"

#: (position, from, to) with global codes; positions rise from 0 forward, fall from -1 backward.
Link = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class LinkPartial:
    """How many cases take each link, and how many have the anchor at all."""

    count: Counter[Link]
    n_cases: int

    def merge(self, other: LinkPartial) -> LinkPartial:
        return LinkPartial(self.count + other.count, self.n_cases + other.n_cases)


def count_steps(
    plan: PathPlan, log: JourneyLog, anchor: int, n_steps: int, *, forward: bool, threads: int | None = None
) -> LinkPartial:
    """Links of all cases from the anchor (a global code)."""
    return sum_buckets(log, lambda b: _count_links(plan, b, anchor, n_steps, forward), _together, threads=threads)


def _together(parts: Iterable[LinkPartial]) -> LinkPartial:
    total: Counter[Link] = Counter()
    n_cases = 0
    for part in parts:
        total.update(part.count)
        n_cases += part.n_cases
    return LinkPartial(total, n_cases)


def _count_links(plan: PathPlan, bucket: Bucket, anchor: int, n_steps: int, forward: bool) -> LinkPartial:
    keys, _ = _links(plan, bucket, anchor, n_steps, forward)
    number, distinct = np.empty(len(keys), np.int32), np.empty(len(keys), np.int64)
    n = number_keys(keys, number, distinct)
    links = _named(plan, bucket, distinct[:n], forward)
    count = Counter(dict(zip(links, np.bincount(number, minlength=n).tolist(), strict=True)))
    first = 0 if forward else -1
    return LinkPartial(count, sum(c for (position, _, _), c in count.items() if position == first))


def _links(plan: PathPlan, bucket: Bucket, anchor: int, n_steps: int, forward: bool) -> tuple[I64, I32]:
    """Local key and case of each link."""
    stream = stream_of(plan, bucket)
    lut = plan.nodes.lut(bucket)
    here = np.flatnonzero(lut == anchor)
    if not len(here):
        return np.zeros(0, np.int64), np.zeros(0, np.int32)
    room = len(stream.node) + stream.n_cases
    key, case = np.empty(room, np.int64), np.empty(room, np.int32)
    follow = steps_forward if forward else steps_backward
    n = follow(stream.node, stream.case, stream.n_cases, len(lut), int(here[0]), n_steps, key, case)
    return key[:n], stream.persons[case[:n]]


def _named(plan: PathPlan, bucket: Bucket, keys: I64, forward: bool) -> list[Link]:
    k = len(plan.nodes.values)
    lut = np.append(plan.nodes.lut(bucket), (k, k + 1))
    w = len(lut)
    position = keys // (w * w) if forward else -1 - keys // (w * w)
    columns = (position, lut[keys // w % w], lut[keys % w])
    return list(zip(*(column.tolist() for column in columns), strict=True))


def shown_links(plan: PathPlan, links: LinkPartial, top: int, *, forward: bool) -> pa.Table:
    """The links, with the `top` nodes of each position by cases; the rest of a position is "(other)".

    Start and end are never put with the others.
    """
    names = (*plan.nodes.values, START, END)
    k = len(plan.nodes.values)
    # A link of position p joins the nodes p and p + 1.
    cases: Counter[tuple[int, int]] = Counter()
    for (position, source, target), count in links.count.items():
        at, node = (position + 1, target) if forward else (position, source)
        cases[at, node] += count
    kept: dict[int, list[int]] = {}
    for (at, node), _ in sorted(cases.items(), key=lambda item: (-item[1], item[0])):
        if node < k and len(kept.setdefault(at, [])) < top:
            kept[at].append(node)
    anchored = 0

    def label(at: int, node: int) -> str:
        return names[node] if node >= k or at == anchored or node in kept.get(at, ()) else OTHER

    shown: Counter[tuple[int, str, str]] = Counter()
    for (position, source, target), count in links.count.items():
        shown[position, label(position, source), label(position + 1, target)] += count
    rows = sorted(shown.items(), key=lambda item: (abs(item[0][0]), -item[1], item[0]))
    return pa.table(
        {
            "position": pa.array([link[0] for link, _ in rows], pa.int32()),
            "from": pa.array([link[1] for link, _ in rows], pa.string()),
            "to": pa.array([link[2] for link, _ in rows], pa.string()),
            "count": pa.array([count for _, count in rows], pa.int64()),
            "share": pa.array([count / links.n_cases for _, count in rows], pa.float64()),
        }
    )


def persons_on_link(plan: PathPlan, bucket: Bucket, anchor: int, n_steps: int, link: Link, *, forward: bool) -> Bools:
    """Persons of the bucket with a case that takes the link."""
    keys, persons = _links(plan, bucket, anchor, n_steps, forward)
    number, distinct = np.empty(len(keys), np.int32), np.empty(len(keys), np.int64)
    n = number_keys(keys, number, distinct)
    wanted = np.array([each == link for each in _named(plan, bucket, distinct[:n], forward)], np.bool_)
    marked = np.zeros(bucket.n_persons, np.bool_)
    if len(keys):
        marked[persons[wanted[number]]] = True
    return marked
