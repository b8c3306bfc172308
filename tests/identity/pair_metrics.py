"""How well events were given to people, counted in pairs of events."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["Metrics", "pair_metrics"]

I64 = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Metrics:
    """Shares of pairs of events; 1.0 where there is no pair to speak of.

    Attributes
    ----------
    precision : float
        Of the pairs told to be one person's, those that are.
    recall : float
        Of the pairs of one person that recorded identifiers connect, those that were told.
    plain_recall : float
        The same of all pairs of one person.
    """

    precision: float
    recall: float
    plain_recall: float


def pair_metrics(predicted: I64, person: I64, connected: I64) -> Metrics:
    """Compare what was told with the truth, from the sizes of groups: no pair is looked at.

    Parameters
    ----------
    predicted : int64, shape (n_events,)
        Number of the person told; -1: unidentified, each by itself.
    person : int64, shape (n_events,)
        Who it was.
    connected : int64, shape (n_events,)
        Events of one person that recorded identifiers connect have the same number, no others do.
    """
    told = predicted >= 0
    right = _pairs(predicted[told], person[told])
    return Metrics(
        precision=_ratio(right, _pairs(predicted[told])),
        recall=_ratio(_pairs(predicted[told], connected[told]), _pairs(connected)),
        plain_recall=_ratio(right, _pairs(person)),
    )


def _pairs(*keys: I64) -> int:
    """Pairs of rows that agree in all keys."""
    _, sizes = np.unique(np.stack(keys), axis=1, return_counts=True)
    return int((sizes * (sizes - 1) // 2).sum())


def _ratio(part: int, whole: int) -> float:
    return part / whole if whole else 1.0
