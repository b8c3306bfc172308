"""How long until something happens, where for some it has not happened yet: Kaplan-Meier, from counts that merge.

With n(t) still watched just before t and d(t) for whom it happens then ::

    S(t) = Π (1 − d/n)        over the times up to t       Kaplan and Meier (1958), doi:10.2307/2281868
    v(t) = Σ d / (n (n − d))  the variance of log S        Greenwood (1926)
    S(t) ^ exp(± z √v / log S)                             interval on the log(-log) scale: stays between 0 and 1

Who is watched until t only ("censored" at t) counts among the n of t. Where there are two ways of ending, and only one
of them counts (a journey converts, or is abandoned), a product of either alone would say too much; then with d₁ for
the one, d₂ for the other and S of both ::

    F(t) = Σ S(before) d₁/n   Aalen and Johansen (1978); with nobody censored, the plain share

Its variance is the delta method's (Marubini and Valsecchi 1995, 10.3.3), its interval that of 1 − F as above.

A curve says nothing of times for which hardly anybody could have been watched: where only the young are, one of them
for whom it happens lifts it to 1. So what has happened within a time is told only where `watched_enough`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from percorso.analyses.intervals import FEW, wilson
from percorso.analyses.tallies import Tally
from percorso.kernels.arrays import F64, I64

__all__ = [
    "CENSORED",
    "HAPPENED",
    "N_KINDS",
    "OTHERWISE",
    "TOO_YOUNG",
    "Curve",
    "cumulative_incidence",
    "curve_of",
    "incidence_of",
    "kaplan_meier",
    "watched_enough",
]

#: How a span ended, as part of a tally's key ``time * N_KINDS + kind``.
HAPPENED, OTHERWISE, CENSORED = 0, 1, 2
N_KINDS = 3

#: Why a share within a time is missing: too few began so long ago.
TOO_YOUNG = "too_young"

_Z_95 = 1.959963984540054


def watched_enough(n: int, n_old: int) -> bool:
    """Did enough begin so long ago that what happens within a time can be told?

    Parameters
    ----------
    n : int
        All whose share is asked for.
    n_old : int
        Those of them who began at least that time before the as-of time: who were watched for it, or could have been,
        had it not ended before.

    Returns
    -------
    bool
        At least 30 did; or of fewer than 30 in all at least one.

    Examples
    --------
    >>> watched_enough(51, 1), watched_enough(51, 30), watched_enough(5, 1), watched_enough(5, 0)
    (False, True, True, False)
    """
    return n_old >= (FEW if n >= FEW else 1)


@dataclass(frozen=True, slots=True)
class Curve:
    """The share for whom it has happened by each time; every array of shape (n_times,).

    Parameters
    ----------
    time : int64 array
        Ascending whole numbers: days, or bins that ascend.
    at_risk : int64 array
        Still watched just before.
    happened : float64 array
        1 − S, or F.
    std_error : float64 array
        Of it; NaN where all have ended.
    low, high : float64 array
        95 % interval; NaN where there is none.
    is_final : bool
        Nobody was only watched until the last time: nothing happens after it.
    """

    time: I64
    at_risk: I64
    happened: F64
    std_error: F64
    low: F64
    high: F64
    is_final: bool = False

    def by(self, time: int) -> float | None:
        """Share for whom it has happened by `time`, itself included; None where nobody was watched for so long."""
        at = self._at(time)
        return None if at is None else (float(self.happened[at]) if at >= 0 else 0.0)

    def interval_by(self, time: int) -> tuple[float, float] | None:
        """Its 95 % interval. Where it has happened to nobody yet: Wilson's, of those still watched."""
        at = self._at(time)
        if at is None:
            return None
        if at < 0 or self.happened[at] == 0:
            later = int(np.searchsorted(self.time, time, side="left"))
            return wilson(0, int(self.at_risk[min(later, len(self.time) - 1)]))
        low, high = float(self.low[at]), float(self.high[at])
        return None if math.isnan(low) or math.isnan(high) else (low, high)

    def _at(self, time: int) -> int | None:
        """Position of the last time not after `time`; -1: before the first."""
        if not len(self.time) or (time > self.time[-1] and not self.is_final):
            return None
        return int(np.searchsorted(self.time, time, side="right")) - 1

    def quantile(self, share: float) -> int | None:
        """The first time by which it has happened to this share; None where it never has."""
        return self._first(self.happened, share)

    def quantile_interval(self, share: float) -> tuple[int | None, int | None]:
        """Its 95 % interval: the times whose own interval holds the share. Brookmeyer and Crowley (1982)."""
        return self._first(self.high, share), self._first(self.low, share)

    def _first(self, values: F64, share: float) -> int | None:
        reached = np.flatnonzero(values >= share - 1e-12)
        return int(self.time[reached[0]]) if len(reached) else None


def kaplan_meier(time: I64, events: I64, censored: I64) -> Curve:
    """The curve of one way of ending.

    Parameters
    ----------
    time : int64, shape (n_times,)
        Ascending, each once.
    events, censored : int64, shape (n_times,)
        For how many it happens then, and how many are watched until then only.
    """
    n = _at_risk(events + censored)
    survival: F64 = np.cumprod(1 - events / n, dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = np.cumsum(np.where(events > 0, events / (n * (n - events).astype(np.float64)), 0.0))
        error = survival * np.sqrt(variance)
    return Curve(time, n, 1 - survival, error, *_log_log(survival, error), is_final=_ends(censored))


def cumulative_incidence(time: I64, events: I64, others: I64, censored: I64) -> Curve:
    """The curve of one of two ways of ending.

    Parameters
    ----------
    time, events, censored
        As of `kaplan_meier`.
    others : int64, shape (n_times,)
        How many end the other way then.
    """
    n = _at_risk(events + others + censored)
    d = events + others
    before = np.r_[1.0, np.cumprod(1 - d / n)[:-1]] if len(n) else np.empty(0)
    share = np.cumsum(before * events / n)
    error = np.sqrt(np.maximum(_incidence_variance(n, d, events, before, share), 0.0))
    return Curve(time, n, share, error, *_log_log(1 - share, error), is_final=_ends(censored))


def _incidence_variance(n: I64, d: I64, events: I64, before: F64, share: F64) -> F64:
    """Σ (F(t) − F)² d/(n(n − d)) + Σ S² d₁(n − d₁)/n³ − 2 Σ (F(t) − F) S d₁/n², sums over the times up to t."""
    left = (n - d).astype(np.float64)
    # Where all end at once nothing follows, so F(t) − F is 0 and so is the term.
    a = np.divide(d, n * left, out=np.zeros(len(n)), where=left > 0)
    c = before * events / n.astype(np.float64) ** 2
    b = before**2 * events * (n - events) / n.astype(np.float64) ** 3
    sums = (np.cumsum(part) for part in (a, share * a, share * share * a, b, c, share * c))
    a0, a1, a2, b0, c0, c1 = sums
    variance: F64 = share * share * a0 - 2 * share * a1 + a2 + b0 - 2 * (share * c0 - c1)
    return variance


def _ends(censored: I64) -> bool:
    return bool(len(censored) and censored[-1] == 0)


def _at_risk(ending: I64) -> I64:
    """How many are still watched just before each time."""
    return ending[::-1].cumsum()[::-1]


def _log_log(survival: F64, error: F64) -> tuple[F64, F64]:
    """Ends of the interval of 1 − survival."""
    with np.errstate(divide="ignore", invalid="ignore"):
        log = np.log(survival)
        spread = np.exp(_Z_95 * error / (survival * -log))
        low, high = 1 - survival ** (1 / spread), 1 - survival**spread
    known = (survival > 0) & (survival < 1) & np.isfinite(error)
    return np.where(known, low, np.nan), np.where(known, high, np.nan)


def _by_time(spans: Tally) -> tuple[I64, I64]:
    """Distinct times, and how many spans end each way at each: shape (n_times,) and (N_KINDS, n_times)."""
    time, at = np.unique(spans.keys // N_KINDS, return_inverse=True)
    ends = np.zeros((N_KINDS, len(time)), np.int64)
    ends[spans.keys % N_KINDS, at] = spans.counts
    return time, ends


def curve_of(spans: Tally) -> Curve:
    """Kaplan-Meier of spans with keys ``time * N_KINDS + kind``, of kinds HAPPENED and CENSORED."""
    time, ends = _by_time(spans)
    return kaplan_meier(time, ends[HAPPENED], ends[CENSORED])


def incidence_of(spans: Tally) -> Curve:
    """Aalen-Johansen of spans that may also have ended OTHERWISE."""
    time, ends = _by_time(spans)
    return cumulative_incidence(time, ends[HAPPENED], ends[OTHERWISE], ends[CENSORED])
