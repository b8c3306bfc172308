"""What customers answered on a scale, by the stage that the answer is about: the emotion curve of a journey map.

An answer is about what went before it: the stage is that of the person's last event before the answer, within the
order's journey where the answer is about an order. Of several answers of a person to one survey the latest counts, as
in the KPIs. Answers on different scales are put side by side as the share of their scale
((score − least) / (greatest − least)), never their scores. Defined in docs/reference/map.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np

from percorso.analyses.intervals import bounded_mean, nps_interval, wilson
from percorso.analyses.kpi_feedback import JUDGE
from percorso.analyses.log_facts import Fact, ask_facts
from percorso.analyses.outcomes import journeys_of_kind
from percorso.kernels.arrays import F64, I32, I64, U8, Bools
from percorso.kernels.cells import stage_before
from percorso.settings.stages import StageModel
from percorso.store.journey_log import Bucket, JourneyLog

__all__ = [
    "ALL_KINDS",
    "SCALES",
    "Feedback",
    "FeedbackPlan",
    "effective_n",
    "feedback_of",
    "feedback_rows",
    "plan_feedback",
]

#: Least and greatest score of each kind of answer, where the answer does not say.
SCALES: Mapping[str, tuple[float, float]] = MappingProxyType(
    {"nps": (0.0, 10.0), "csat": (1.0, 5.0), "ces": (1.0, 7.0), "review": (1.0, 5.0), "other": (1.0, 5.0)}
)
ALL_KINDS = "all"

_SURVEY, _REVIEW = "Survey Answered", "Product Reviewed"

#: Events that carry an answer or ask for one: they say nothing of where somebody stands.
_FEEDBACK_EVENTS = (
    _REVIEW,
    _SURVEY,
    "Survey Sent",
    "Survey Shown",
    "Survey Dismissed",
    "Source Declared",
    "Review Requested",
)

#: Sums of shares of a scale are whole millionths: they add up to the same number in any order.
MILLION = 1_000_000
_N, _SHARE, _SCORE, _GOOD, _BAD, _SQUARES = range(6)


@dataclass(frozen=True, slots=True)
class FeedbackPlan:
    """Stages in order, and the kinds of answer that occur, each with the name of its survey or "", sorted."""

    model: StageModel
    kinds: tuple[tuple[str, str], ...]

    @property
    def stages(self) -> tuple[str, ...]:
        return tuple(stage.key for stage in self.model.stages)


@dataclass(frozen=True, slots=True)
class Feedback:
    """Sums of answers, int64 of shape (n_stages, n_kinds + 1, 6), the last kind being all of them together.

    The six: answers, their shares of the scale in millionths, their scores in millionths, good answers, bad ones (of
    surveys, as the KPIs judge them), and over persons the squares of how many answers each gave.
    """

    sums: I64

    def merge(self, other: Feedback) -> Feedback:
        return Feedback(self.sums + other.sums)


@dataclass(frozen=True, slots=True)
class _Answers:
    """Answers of one bucket, in the order of their events, each array of shape (n,).

    `kind` is the position among the kinds of the plan; `least` and `greatest` are the ends of the scale.
    """

    row: I64
    person: I32
    kind: I64
    score: F64
    least: F64
    greatest: F64

    def take(self, at: I64 | Bools) -> _Answers:
        columns = (self.row, self.person, self.kind, self.score, self.least, self.greatest)
        return _Answers(*(column[at] for column in columns))  # type: ignore[arg-type]


def plan_feedback(log: JourneyLog, model: StageModel) -> FeedbackPlan:
    """Which kinds of answer there are, and of surveys which names."""
    ((of_persons, _),) = ask_facts(log, [Fact("kinds of answer", _kinds_in, _all_kinds)])
    kinds = of_persons | {("review", ""), ("other", "")}
    return FeedbackPlan(model, tuple(sorted(kinds, key=lambda kind: (kind[0].encode(), kind[1].encode()))))


def _kinds_in(buckets: Iterable[Bucket]) -> set[tuple[str, str]]:
    """The surveys that were answered, each kind with its name."""
    kinds: set[tuple[str, str]] = set()
    for bucket in buckets:
        details = bucket.table("details")
        surveys, names = details.dictionary("survey"), details.dictionary("survey_name")
        if not len(details):
            continue
        survey, name = details.values("survey").astype(np.int64), details.values("survey_name")
        # Most details are no surveys; an answer may have a name and no kind.
        blank = [one.index("") if "" in one else -1 for one in (surveys, names)]
        said = (survey != blank[0]) | (name != blank[1])
        for pair in np.unique(survey[said] * len(names) + name[said]).tolist():
            kinds.add((surveys[pair // len(names)] or "other", names[pair % len(names)]))
    return kinds


def _all_kinds(parts: Iterable[set[tuple[str, str]]]) -> set[tuple[str, str]]:
    return set().union(*parts)


def feedback_of(plan: FeedbackPlan, bucket: Bucket, keep: U8) -> Feedback:
    """The answers of one bucket.

    Parameters
    ----------
    plan : FeedbackPlan
    bucket : Bucket
    keep : uint8 array, shape (n_events,) or (0,)
        Which events are in; of no elements: all.
    """
    sums = np.zeros((len(plan.stages), len(plan.kinds) + 1, 6), np.int64)
    score = bucket.events.values("score")
    rows = np.flatnonzero(~np.isnan(score) & (keep != 0) if keep.size else ~np.isnan(score)).astype(np.int64)
    if not len(rows):
        return Feedback(sums)
    answers = _latest(plan, bucket, _answers(plan, bucket, rows))
    stage = _stages(plan, bucket, answers.row, answers.person)
    answers, stage = answers.take(stage >= 0), stage[stage >= 0]
    of_kind = stage * (len(plan.kinds) + 1) + answers.kind
    of_all = stage * (len(plan.kinds) + 1) + len(plan.kinds)
    measures = _measures(plan, answers)
    flat = sums.reshape(-1, 6)
    for cell in (of_kind, of_all):
        for position, measure in measures.items():
            np.add.at(flat[:, position], cell, measure)
        each, n = np.unique(cell * bucket.n_persons + answers.person, return_counts=True)
        np.add.at(flat[:, _SQUARES], each // bucket.n_persons, n * n)
    return Feedback(sums)


def _answers(plan: FeedbackPlan, bucket: Bucket, rows: I64) -> _Answers:
    """Scored events as answers; those with a score beside their scale are none."""
    person = (np.searchsorted(bucket.offsets(), rows, side="right") - 1).astype(np.int32)
    kind, least, greatest = _kinds(plan, bucket, rows)
    score = bucket.events.values("score")[rows]
    found = _Answers(rows, person, kind, score, least, greatest)
    return found.take((score >= 0) & (score <= greatest))


def _latest(plan: FeedbackPlan, bucket: Bucket, answers: _Answers) -> _Answers:
    """Without the answers to a survey that a later one of the same person replaces."""
    is_survey = np.array([name == _SURVEY for name in bucket.events.dictionary("event")], np.bool_)
    last = ~is_survey[bucket.events.values("event")[answers.row]]
    mine = np.flatnonzero(~last)[::-1]
    _, first = np.unique(
        answers.person[mine].astype(np.int64) * len(plan.kinds) + answers.kind[mine], return_index=True
    )
    last[mine[first]] = True
    return answers.take(last)


def _measures(plan: FeedbackPlan, answers: _Answers) -> dict[int, I64]:
    """What is added up of each answer but the squares, int64 of shape (n,)."""
    share = np.clip((answers.score - answers.least) / (answers.greatest - answers.least), 0.0, 1.0)
    usual = np.array([_scale(kind)[1] for kind, _ in plan.kinds])[answers.kind]
    good, bad = (np.zeros(len(answers.row), np.int64) for _ in range(2))
    for position, (kind, _) in enumerate(plan.kinds):
        if kind in JUDGE:
            mine = np.flatnonzero(answers.kind == position)
            good[mine], bad[mine] = JUDGE[kind](answers.score[mine], answers.greatest[mine])
    return {
        _N: np.ones(len(answers.row), np.int64),
        _SHARE: np.rint(share * MILLION).astype(np.int64),
        _SCORE: np.rint(answers.score * usual / answers.greatest * MILLION).astype(np.int64),
        _GOOD: good,
        _BAD: bad,
    }


def _scale(kind: str) -> tuple[float, float]:
    return SCALES.get(kind, SCALES["other"])


def _kinds(plan: FeedbackPlan, bucket: Bucket, rows: I64) -> tuple[I64, F64, F64]:
    """Kind of each answer, and least and greatest score of its scale."""
    events, details = bucket.events, bucket.table("details")
    names = np.array([{_SURVEY: 1, _REVIEW: 2}.get(name, 0) for name in events.dictionary("event")], np.int64)
    what = names[events.values("event")[rows]]
    kind = np.where(what == 2, plan.kinds.index(("review", "")), plan.kinds.index(("other", "")))
    scale = np.full(len(rows), np.nan)
    of_event = details.values("event")
    if len(of_event):
        at = np.minimum(np.searchsorted(of_event, rows), len(of_event) - 1)
        has = of_event[at] == rows
        asked = np.flatnonzero(has & (what == 1))
        kind[asked] = _surveys(plan, bucket, at[asked])
        scale = np.where(has, details.values("scale")[at], np.nan)
    limits = np.array([_scale(kind) for kind, _ in plan.kinds])
    greatest = np.where(np.isfinite(scale) & (scale > 1), scale, limits[kind, 1])
    return kind, limits[kind, 0], greatest


def _surveys(plan: FeedbackPlan, bucket: Bucket, at: I64) -> I64:
    """Positions among the kinds that rows of the table `details` name."""
    details = bucket.table("details")
    surveys, names = details.dictionary("survey"), details.dictionary("survey_name")
    pairs = details.values("survey")[at].astype(np.int64) * len(names) + details.values("survey_name")[at]
    distinct, back = np.unique(pairs, return_inverse=True)
    of_pair = [(surveys[pair // len(names)] or "other", names[pair % len(names)]) for pair in distinct.tolist()]
    found: I64 = np.array([plan.kinds.index(pair) for pair in of_pair], np.int64)[back]
    return found


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
    """The answers as rows, by stage and kind, "all" first: satisfaction from 0 to 1 with its interval, mean score.

    Beside them of csat and ces the share of good answers, of nps the score from −100 to 100, each with its interval.
    """
    rows: list[dict[str, Any]] = []
    for position, stage in enumerate(plan.stages):
        sums = found.sums[position]
        rows += _rows(stage, ALL_KINDS, "", sums[-1])
        for at, (kind, survey) in enumerate(plan.kinds):
            rows += _rows(stage, kind, survey, sums[at])
    return rows


def effective_n(answers: int, squares: int) -> float:
    """How many independent answers some answers are worth, at worst, where one person gave several.

    ``n²/Σ nᵢ²`` over persons: as many as there are where each gave one, and as many as there are persons where each
    gave equally many. Kish (1965), Survey Sampling.

    Examples
    --------
    >>> effective_n(6, 6), effective_n(6, 3 * 2**2)
    (6.0, 3.0)
    """
    return answers * answers / squares


def _rows(stage: str, kind: str, survey: str, sums: I64) -> Iterable[dict[str, Any]]:
    n, share, score, good, bad, squares = sums.tolist()
    if not n:
        return
    satisfaction = share / n / MILLION
    low, high = bounded_mean(satisfaction, effective_n(n, squares)) or (None, None)
    row = {"stage": stage, "kind": kind, "survey": survey, "n": n}
    row |= {"satisfaction": satisfaction, "low": low, "high": high}
    row |= {"mean": None if kind == ALL_KINDS else score / n / MILLION}
    row |= dict.fromkeys(("good", "good_low", "good_high", "nps", "nps_low", "nps_high"))
    if kind == "nps":
        nps_low, nps_high = nps_interval(good, bad, n) or (None, None)
        row |= {"nps": 100 * (good - bad) / n, "nps_low": nps_low, "nps_high": nps_high}
    elif kind in JUDGE:
        good_low, good_high = wilson(good, n) or (None, None)
        row |= {"good": good / n, "good_low": good_low, "good_high": good_high}
    yield row
