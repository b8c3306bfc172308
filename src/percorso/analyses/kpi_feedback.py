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

#: Least and most stars of a review.
_STARS = (1.0, 5.0)

#: Kinds of survey: greatest score of the scale where the answer does not say.
_SCALES = {"nps": 10.0, "csat": 5.0, "ces": 7.0}

SURVEYS: tuple[Kpi, ...] = (
    Kpi("nps", "advocacy", "score", "up", "score", "nps/{}/net", "nps/{}/n", "nps/{}/either", missing="no_survey"),
    Kpi("csat", "advocacy", "share", "up", "share", "csat/{}/net", "csat/{}/n", missing="no_survey"),
    Kpi("ces", "advocacy", "share", "up", "share", "ces/{}/net", "ces/{}/n", missing="no_survey"),
    Kpi(
        "survey_response",
        "advocacy",
        "share",
        "up",
        "share",
        "survey_response/{}/answered",
        "survey_response/{}/n",
        missing="no_survey_sent",
    ),
)

ADVOCACY: tuple[Kpi, ...] = (
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
            missing=f"no_ratings_{name}",
            scale=THOUSAND,
            ends=_STARS,
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
    """Names of the surveys of a KPI in the period, sorted; where it has none, of those at any other time."""
    prefix, suffix = f"{kind}/", "/n"
    every = [name for name in found.sums if name.startswith(prefix) and name.endswith(suffix)]
    names = [name for name in every if found.sums[name].any()] or every
    return tuple(sorted((name[len(prefix) : -len(suffix)] for name in names), key=str.encode))


def survey_kpi(kpi: Kpi, name: str) -> Kpi:
    """The KPI of one survey."""
    return replace(kpi, top=kpi.top.format(name), bottom=kpi.bottom.format(name), also=kpi.also.format(name))


def add_feedback(facts: Facts) -> None:
    """Answers, reviews and recommendations of one bucket."""
    if facts.is_of_nobody:
        return
    _add_answers(facts)
    _add_response(facts)
    _add_reviewed(facts)
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
    inside = np.flatnonzero(cell >= 0)[::-1]  # what is in no cell has no key of its own
    last = np.zeros(len(cell), np.bool_)
    last[_firsts(cell, person, inside, n_cells)] = True
    return only_cells(cell, last)


def _firsts(cell: I32, person: I32, rows: I64, n_cells: int) -> I64:
    """The first of some rows for each person in each cell."""
    _, first = np.unique(person[rows].astype(np.int64) * n_cells + cell[rows], return_index=True)
    found: I64 = rows[first]
    return found


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


def _add_response(facts: Facts) -> None:
    """Each survey that was sent or shown, and whether it was answered."""
    asks, answers = facts.rows_of(("Survey Sent", "Survey Shown")), facts.rows_of(("Survey Answered",))
    if not len(asks):
        return
    asked, answered = _surveys(facts, asks), _surveys(facts, answers)
    for name in sorted(set(asked.tolist()), key=str.encode):
        # One that does not say which survey it is waits for any answer.
        mine = answers[answered == name] if name else answers
        _add_asks(facts, f"survey_response/{name}", asks[asked == name], mine)


def _surveys(facts: Facts, rows: I64) -> np.ndarray:
    """Which survey each event is about: its name, else its kind, else ""; text, shape (n,)."""
    kind, kinds = _coded(facts, rows, "survey")
    named, names = _coded(facts, rows, "survey_name")
    every = np.array([*names, *kinds, ""], np.object_)
    found: np.ndarray = every[np.where(named >= 0, named, np.where(kind >= 0, len(names) + kind, -1))]
    return found


def _add_asks(facts: Facts, name: str, asks: I64, answers: I64) -> None:
    """Each time that somebody was asked: once more before the answer, within 30 days, is the same asking."""
    person, time = facts.person_of(asks), facts.time_of(asks)
    at = np.searchsorted(answers, asks)
    again = np.zeros(len(asks), np.bool_)
    again[1:] = (np.diff(person) == 0) & (np.diff(at) == 0) & (np.diff(time) <= ASKED_US)
    begin = np.flatnonzero(~again)
    last = np.append(begin[1:], len(asks)) - 1
    done = _is_followed(facts, asks[last], answers)
    cell = facts.cells(time[begin], asks[begin], person[begin])
    facts.add(f"{name}/n", cell, person[begin])
    facts.add(f"{name}/answered", cell, person[begin], only=done)


def _is_followed(facts: Facts, rows: I64, answers: I64) -> Bools:
    """Whether the same person's next of some answers came within 30 days, bool of shape (n,)."""
    if not len(answers):
        return np.zeros(len(rows), np.bool_)
    at = np.searchsorted(answers, rows, side="right")
    following = answers[np.minimum(at, len(answers) - 1)]
    done = (at < len(answers)) & (facts.person_of(following) == facts.person_of(rows))
    found: Bools = done & (facts.time_of(following) - facts.time_of(rows) <= ASKED_US)
    return found


def _add_reviewed(facts: Facts) -> None:
    """Persons asked for a review in each period, and those who wrote one within 30 days of being first asked in it."""
    rows = facts.rows_of(("Review Requested",))
    if not len(rows):
        return
    person = facts.person_of(rows)
    cell = facts.cells(facts.time_of(rows), rows, person)
    first = np.sort(_firsts(cell, person, np.flatnonzero(cell >= 0), facts.plan.n_cells))
    rows, person, cell = rows[first], person[first], cell[first]
    facts.add("asked_to_review", cell, person)
    facts.add("reviewed", cell, person, only=_is_followed(facts, rows, facts.rows_of(("Product Reviewed",))))


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
