"""KPIs of advocacy: what customers answer, write and recommend. A survey's answers are never put with another's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from percorso.analyses.kpi_business import THOUSAND
from percorso.analyses.kpi_facts import Facts, only_cells
from percorso.analyses.kpi_service import details_at
from percorso.analyses.kpi_sums import KpiSums
from percorso.analyses.kpi_terms import Kpi
from percorso.analyses.worth import worth_of
from percorso.kernels.arrays import F64, I32, I64, Bools

__all__ = ["ADVOCACY", "JUDGE", "SURVEYS", "add_feedback", "survey_kpi", "survey_names"]

#: An answer, or a review, this long after somebody was asked is not for the asking.
ASKED_US = 30 * 86_400_000_000

#: Kinds of survey: greatest score of the scale where the answer does not say.
_SCALES = {"nps": 10.0, "csat": 5.0, "ces": 7.0}

SURVEYS: tuple[Kpi, ...] = (
    Kpi("nps", "advocacy", "score", "up", "score", "nps/{}/net", "nps/{}/n", "nps/{}/either", missing="no_survey"),
    Kpi("csat", "advocacy", "share", "up", "share", "csat/{}/net", "csat/{}/n", missing="no_survey"),
    Kpi("ces", "advocacy", "share", "up", "share", "ces/{}/net", "ces/{}/n", missing="no_survey"),
)

ADVOCACY: tuple[Kpi, ...] = (
    Kpi("survey_response", "advocacy", "share", "up", "share", "answered", "asked_to_answer", missing="no_survey_sent"),
    Kpi("reviews", "advocacy", "count", "up", "total", "reviews", missing="no_reviews"),
    Kpi("review_rate", "advocacy", "share", "up", "share", "reviewed", "asked_to_review", missing="no_reviews_asked"),
    *(
        Kpi(
            f"mean_rating_{name}",
            "advocacy",
            "ratio",
            "up",
            "ratio",
            f"stars_{name}",
            f"rated_{name}",
            missing="no_reviews",
            scale=THOUSAND,
        )
        for name in ("asked", "unasked")
    ),
    Kpi("referrals_sent", "advocacy", "count", "up", "total", "referrals_sent", missing="no_referrals"),
    Kpi("referrals_converted", "advocacy", "count", "up", "total", "referrals_converted", missing="no_referrals"),
    Kpi(
        "referral_value",
        "advocacy",
        "money",
        "up",
        "total",
        "referral_value",
        n="referrals_valued",
        missing="no_referrals",
    ),
)


def survey_names(found: KpiSums, kind: str) -> tuple[str, ...]:
    """Names of the surveys of a kind that were answered, sorted."""
    prefix, suffix = f"{kind}/", "/n"
    names = (
        name[len(prefix) : -len(suffix)] for name in found.sums if name.startswith(prefix) and name.endswith(suffix)
    )
    return tuple(sorted(names, key=str.encode))


def survey_kpi(kpi: Kpi, name: str) -> Kpi:
    """The KPI of one survey."""
    return replace(kpi, top=kpi.top.format(name), bottom=kpi.bottom.format(name), also=kpi.also.format(name))


def add_feedback(facts: Facts) -> None:
    """Answers, reviews and recommendations of one bucket."""
    if facts.is_of_nobody:
        return
    _add_answers(facts)
    _add_response(facts, ("Survey Sent", "Survey Shown"), ("Survey Answered",), "asked_to_answer", "answered")
    _add_response(facts, ("Review Requested",), ("Product Reviewed",), "asked_to_review", "reviewed")
    _add_reviews(facts)
    _add_referrals(facts)


def _coded(facts: Facts, rows: I64, name: str) -> tuple[I64, tuple[str, ...]]:
    """A coded detail of some events; -1 for none."""
    details = facts.bucket.table("details")
    names = details.dictionary(name)
    at, has = details_at(facts, rows)
    if not has.any():
        return np.full(len(rows), -1, np.int64), names
    code = details.values(name)[at].astype(np.int64)
    known = np.array([bool(text) for text in names], np.bool_)
    return np.where(has & known[code], code, -1), names


def _scales(facts: Facts, rows: I64, usual: float) -> F64:
    """Greatest score of each answer's scale."""
    at, has = details_at(facts, rows)
    if not has.any():
        return np.full(len(rows), usual)
    said = facts.bucket.table("details").values("scale")[at]
    return np.where(has & np.isfinite(said) & (said > 1), said, usual)


def _add_answers(facts: Facts) -> None:
    """The latest answer of each person to each survey in each period."""
    rows = facts.rows_of(("Survey Answered",))
    rows = rows[~np.isnan(facts.bucket.events.values("score")[rows])]
    if not len(rows):
        return
    kind, kinds = _coded(facts, rows, "survey")
    named, names = _coded(facts, rows, "survey_name")
    for code, text in enumerate(kinds):
        if text not in _SCALES:
            continue
        for name_code in np.unique(named[kind == code]).tolist():
            mine = rows[(kind == code) & (named == name_code)]
            _add_survey(facts, text, names[name_code] if name_code >= 0 else "", mine)


def _add_survey(facts: Facts, kind: str, name: str, rows: I64) -> None:
    score, scale = facts.bucket.events.values("score")[rows], _scales(facts, rows, _SCALES[kind])
    inside = np.flatnonzero((score >= 0) & (score <= scale))
    rows, score, scale = rows[inside], score[inside], scale[inside]
    person = facts.person_of(rows)
    cell = _latest(facts.cells(facts.time_of(rows), rows, person), person, facts.plan.n_cells)
    good, bad = JUDGE[kind](score, scale)
    prefix = f"{kind}/{name}"
    facts.add(f"{prefix}/n", cell, person)
    facts.add(f"{prefix}/net", cell, person, good.astype(np.int64) - bad)
    facts.add(f"{prefix}/either", cell, person, good.astype(np.int64) + bad)


def _latest(cell: I32, person: I32, n_cells: int) -> I32:
    """The cells, -1 for answers that a later one of the person in the same cell replaces."""
    key = (person.astype(np.int64) * n_cells + cell)[::-1]
    _, first = np.unique(key, return_index=True)
    last = np.zeros(len(cell), np.bool_)
    last[len(cell) - 1 - first] = True
    return only_cells(cell, last)


def _promoters(score: F64, scale: F64) -> tuple[Bools, Bools]:
    """9 and 10 of ten, and 0 to 6; another scale is stretched to ten."""
    of_ten = score * 10 / scale
    return of_ten >= 9, of_ten <= 6


def _two_best(score: F64, scale: F64) -> tuple[Bools, Bools]:
    return score >= scale - 1, np.zeros(len(score), np.bool_)


def _easy(score: F64, scale: F64) -> tuple[Bools, Bools]:
    """5, 6 and 7 of seven; of another scale as large a part."""
    return score >= np.ceil(scale * 5 / 7), np.zeros(len(score), np.bool_)


#: Of scores and the greatest of their scales, by kind of survey: which answers are good, and which bad.
JUDGE: Mapping[str, Callable[[F64, F64], tuple[Bools, Bools]]] = {
    "nps": _promoters,
    "csat": _two_best,
    "ces": _easy,
}


def _add_response(facts: Facts, asks: tuple[str, ...], answers: tuple[str, ...], asked: str, answered: str) -> None:
    """Persons asked in each period, and those of them who did so within 30 days of being first asked in it."""
    rows = facts.rows_of(asks)
    if not len(rows):
        return
    person, time = facts.person_of(rows), facts.time_of(rows)
    cell = facts.cells(time, rows, person)
    key = person.astype(np.int64) * facts.plan.n_cells + cell
    _, first = np.unique(key, return_index=True)
    first = np.sort(first)
    rows, person, time, cell = rows[first], person[first], time[first], cell[first]
    said = facts.rows_of(answers)
    at = np.searchsorted(said, rows, side="right")
    following = said[np.minimum(at, max(len(said) - 1, 0))] if len(said) else np.zeros(len(rows), np.int64)
    done = (at < len(said)) & (facts.person_of(following) == person)
    done &= facts.time_of(following) - time <= ASKED_US
    facts.add(asked, cell, person)
    facts.add(answered, cell, person, only=done)


def _add_reviews(facts: Facts) -> None:
    """Reviews, and the stars of those that were asked for and of those that were not."""
    rows = facts.rows_of(("Product Reviewed",))
    if not len(rows):
        return
    person, score = facts.person_of(rows), facts.bucket.events.values("score")[rows]
    cell = facts.cells(facts.time_of(rows), rows, person)
    facts.add("reviews", cell, person)
    scale = _scales(facts, rows, 5.0)
    rated = ~np.isnan(score) & (score >= 0) & (score <= scale)
    stars = np.rint(np.where(rated, score, 0.0) * 5 / scale * THOUSAND).astype(np.int64)
    asked = _was_asked(facts, rows, person)
    for name, mine in (("asked", asked), ("unasked", ~asked)):
        facts.add(f"rated_{name}", cell, person, only=rated & mine)
        facts.add(f"stars_{name}", cell, person, stars, only=rated & mine)


def _was_asked(facts: Facts, rows: I64, person: I32) -> Bools:
    """As the source says; where it does not, whether the person was asked for a review in the 30 days before."""
    at, has = details_at(facts, rows)
    asked = facts.bucket.table("details").values("asked")
    said = np.where(has, asked[at], -1) if len(asked) else np.full(len(rows), -1)
    asks = facts.rows_of(("Review Requested",))
    before = np.searchsorted(asks, rows) - 1
    last = asks[np.maximum(before, 0)] if len(asks) else np.zeros(len(rows), np.int64)
    lately = (before >= 0) & (facts.person_of(last) == person) & (facts.time_of(rows) - facts.time_of(last) <= ASKED_US)
    found: Bools = np.where(said >= 0, said == 1, lately)
    return found


def _add_referrals(facts: Facts) -> None:
    for name, event in (("sent", "Referral Sent"), ("converted", "Referral Converted")):
        rows = facts.rows_of((event,))
        if not len(rows):
            continue
        person, time = facts.person_of(rows), facts.time_of(rows)
        cell = facts.cells(time, rows, person)
        facts.add(f"referrals_{name}", cell, person)
        if name == "converted":
            events = facts.bucket.events
            values, currency = events.values("value")[rows], events.values("currency")[rows]
            worth = worth_of(values, events.dictionary("currency"), currency, time, facts.plan.basis)
            known = only_cells(cell, worth.known)
            facts.add("referrals_valued", known, person)
            facts.add("referral_value", known, person, worth.minor)
