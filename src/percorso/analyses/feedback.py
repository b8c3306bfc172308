"""What customers answered on a scale, by the stage that the answer is about: the emotion curve of a journey map.

An answer is about what went before it: the stage is that of the person's last event before the answer, within the
order's journey where the answer is about an order. Answers on different scales are put side by side as the share of
their scale ((score − least) / (greatest − least)), never their scores. Defined in docs/reference/map.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np

from percorso.analyses.jackknife import N_GROUPS, person_groups, ratio_interval
from percorso.analyses.outcomes import journeys_of_kind
from percorso.kernels.arrays import F64, I32, I64, U8, Bools
from percorso.kernels.cells import stage_before
from percorso.settings.stages import StageModel
from percorso.store.journey_log import Bucket, JourneyLog

__all__ = ["ALL_KINDS", "SCALES", "Feedback", "FeedbackPlan", "feedback_of", "feedback_rows", "plan_feedback"]

#: Least and greatest score of each kind of answer, where the answer does not say.
SCALES: Mapping[str, tuple[float, float]] = MappingProxyType(
    {"nps": (0.0, 10.0), "csat": (1.0, 5.0), "ces": (1.0, 7.0), "review": (1.0, 5.0), "other": (1.0, 5.0)}
)
ALL_KINDS = "all"

#: Events that carry an answer or ask for one: they say nothing of where somebody stands.
_FEEDBACK_EVENTS = (
    "Product Reviewed",
    "Survey Answered",
    "Survey Sent",
    "Survey Shown",
    "Survey Dismissed",
    "Source Declared",
    "Review Requested",
)

#: Sums of shares of a scale are whole millionths: they add up to the same number in any order.
MILLION = 1_000_000
_N, _SHARE, _SCORE, _PROMOTERS, _DETRACTORS = range(5)


@dataclass(frozen=True, slots=True)
class FeedbackPlan:
    """Stages in order, and the kinds of answer that occur."""

    model: StageModel
    kinds: tuple[str, ...]

    @property
    def stages(self) -> tuple[str, ...]:
        return tuple(stage.key for stage in self.model.stages)


@dataclass(frozen=True, slots=True)
class Feedback:
    """Sums of answers, int64 of shape (n_stages, n_kinds, 5, 256).

    The five: answers, their shares of the scale in millionths, their scores in millionths, promoters (9 and 10),
    detractors (0 to 6). The last axis is the group of persons.
    """

    sums: I64

    def merge(self, other: Feedback) -> Feedback:
        return Feedback(self.sums + other.sums)


def plan_feedback(log: JourneyLog, model: StageModel) -> FeedbackPlan:
    """Which kinds of answer there are."""
    asked = {name for bucket in log.buckets for name in bucket.table("details").dictionary("survey") if name}
    return FeedbackPlan(model, tuple(sorted(asked | {"review", "other"}, key=str.encode)))


def feedback_of(plan: FeedbackPlan, bucket: Bucket, keep: U8) -> Feedback:
    """The answers of one bucket.

    Parameters
    ----------
    plan : FeedbackPlan
    bucket : Bucket
    keep : uint8 array, shape (n_events,) or (0,)
        Which events are in; of no elements: all.
    """
    sums = np.zeros((len(plan.stages), len(plan.kinds), 5, N_GROUPS), np.int64)
    score = bucket.events.values("score")
    rows = np.flatnonzero(~np.isnan(score) & (keep != 0) if keep.size else ~np.isnan(score)).astype(np.int64)
    if not len(rows):
        return Feedback(sums)
    kind, least, greatest = _kinds(plan, bucket, rows)
    person = (np.searchsorted(bucket.offsets(), rows, side="right") - 1).astype(np.int32)
    stage = _stages(plan, bucket, rows, person)
    group = person_groups(bucket)[person]
    values = score[rows]
    share = np.clip((values - least) / (greatest - least), 0.0, 1.0)
    is_nps = np.array([name == "nps" for name in plan.kinds], np.bool_)[kind]
    measures = (
        np.ones(len(rows), np.int64),
        np.rint(share * MILLION).astype(np.int64),
        np.rint(values * MILLION).astype(np.int64),
        (is_nps & (values >= 9)).astype(np.int64),
        (is_nps & (values <= 6)).astype(np.int64),
    )
    known = stage >= 0
    for position, measure in enumerate(measures):
        np.add.at(sums[:, :, position, :], (stage[known], kind[known], group[known]), measure[known])
    return Feedback(sums)


def _kinds(plan: FeedbackPlan, bucket: Bucket, rows: I64) -> tuple[I64, F64, F64]:
    """Kind of each answer, and least and greatest score of its scale."""
    events, details = bucket.events, bucket.table("details")
    review = [name == "Product Reviewed" for name in events.dictionary("event")]
    other = np.array([plan.kinds.index("review" if is_one else "other") for is_one in review], np.int64)
    kind = other[events.values("event")[rows]]
    scale = np.full(len(rows), np.nan)
    of_event = details.values("event")
    if len(of_event):
        at = np.minimum(np.searchsorted(of_event, rows), len(of_event) - 1)
        has = of_event[at] == rows
        named = np.array([plan.kinds.index(name) if name else -1 for name in details.dictionary("survey")], np.int64)
        said = np.where(has, named[details.values("survey")[at]], -1)
        kind = np.where(said >= 0, said, kind)
        scale = np.where(has, details.values("scale")[at], np.nan)
    limits = np.array([SCALES.get(name, SCALES["other"]) for name in plan.kinds])
    least = limits[kind, 0]
    greatest = np.where(np.isfinite(scale) & (scale > least), scale, limits[kind, 1])
    return kind, least, greatest


def _stages(plan: FeedbackPlan, bucket: Bucket, rows: I64, person: I32) -> I64:
    """Position among the stages that each answer is about; -1: none is known."""
    events = bucket.events
    names = events.dictionary("stage")
    position = np.array([plan.stages.index(name) if name in plan.stages else -1 for name in names], np.int64)
    stage = events.values("stage")
    counts = _says_where(bucket, position >= 0)
    journey = events.values("journey")
    of_order = np.append(journeys_of_kind(bucket, "order"), False)[journey[rows]]
    found = np.empty(len(rows), np.int64)
    stage_before(rows, bucket.offsets(), person, stage, counts, journey, of_order.astype(np.uint8), found)
    own = np.where(of_order, plan.model.after_order, position[stage[rows]])
    result: I64 = np.where(found >= 0, position[found], own)
    return result


def _says_where(bucket: Bucket, has_stage: Bools) -> U8:
    """Events that say where their person stands, uint8 of shape (n_events,)."""
    events = bucket.events
    asks = np.array([name in _FEEDBACK_EVENTS for name in events.dictionary("event")], np.bool_)
    result: U8 = (has_stage[events.values("stage")] & ~asks[events.values("event")]).astype(np.uint8)
    return result


def feedback_rows(plan: FeedbackPlan, found: Feedback) -> list[dict[str, Any]]:
    """The answers as rows: stage, kind ("all" first), n, satisfaction from 0 to 1 with its interval, mean score, NPS.

    NPS is there for kind nps alone, from −100 to 100; the mean score for every kind but "all".
    """
    rows: list[dict[str, Any]] = []
    for position, stage in enumerate(plan.stages):
        sums = found.sums[position]
        rows += _rows(stage, ALL_KINDS, sums.sum(axis=0))
        for at, kind in enumerate(plan.kinds):
            rows += _rows(stage, kind, sums[at])
    return rows


def _rows(stage: str, kind: str, sums: I64) -> Iterable[dict[str, Any]]:
    n = int(sums[_N].sum())
    if not n:
        return
    low, high = _limits(ratio_interval(sums[_SHARE], sums[_N]), MILLION, (0.0, 1.0))
    net = sums[_PROMOTERS] - sums[_DETRACTORS]
    nps_low, nps_high = _limits(ratio_interval(net, sums[_N]), 0.01, (-100.0, 100.0))
    is_nps = kind == "nps"
    yield {
        "stage": stage,
        "kind": kind,
        "n": n,
        "satisfaction": int(sums[_SHARE].sum()) / n / MILLION,
        "low": low,
        "high": high,
        "mean": None if kind == ALL_KINDS else int(sums[_SCORE].sum()) / n / MILLION,
        "nps": 100 * int(net.sum()) / n if is_nps else None,
        "nps_low": nps_low if is_nps else None,
        "nps_high": nps_high if is_nps else None,
    }


def _limits(
    interval: tuple[float, float] | None, unit: float, within: Sequence[float]
) -> tuple[float | None, float | None]:
    if interval is None:
        return None, None
    low, high = (limit / unit for limit in interval)
    return max(low, within[0]), min(high, within[1])
