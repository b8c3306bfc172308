"""What building a bucket needs to know beside its rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from percorso.journeys.coding import Coder
from percorso.settings import Settings, StageModel

__all__ = ["BucketRules", "bucket_rules"]


_ORDER = "Order Completed"


@dataclass(frozen=True, slots=True)
class BucketRules:
    """What building a bucket needs of the settings and of the dictionaries, ready for the kernels.

    Attributes
    ----------
    dictionaries : mapping
        Coded column -> (texts sorted by bytes, rank of each scratch code in them).
    goals : uint8, shape (n_event_codes,)
        1 where the scratch code is a goal's event.
    order_event : int
        Scratch code of Order Completed, -1 where there is none. A page of that name is no order, and no goal.
    timeouts : int64, shape (n_category_codes,)
        Time-out of each category's scratch code in µs; 0 for none.
    stages : tuple of str
        Stage key of what a journey has reached, by the codes of percorso.kernels.journeys (0 to 8).
    sources : tuple of str
        By rank.
    """

    settings: Settings
    dictionaries: Mapping[str, tuple[pa.StringArray, npt.NDArray[np.int64]]]
    goals: npt.NDArray[np.uint8]
    order_event: int
    timeouts: npt.NDArray[np.int64]
    stages: tuple[str, ...]
    sources: tuple[str, ...]


def bucket_rules(settings: Settings, coder: Coder, sources: tuple[str, ...]) -> BucketRules:
    """The rules by what the coder has seen; `sources` by rank."""
    dictionaries = {}
    coded = coder.dictionaries | {f"prop.{name}": dictionary for name, dictionary in coder.properties.items()}
    for name, dictionary in coded.items():
        texts = dictionary.texts
        order = sorted(range(len(texts)), key=lambda code: texts[code].encode())
        rank = np.empty(len(texts), dtype=np.int64)
        rank[order] = np.arange(len(texts))
        dictionaries[name] = (pa.array([texts[code] for code in order], pa.string()), rank)
    events = coder.dictionaries["event"].texts
    goal_names = {goal.event for goal in settings.journeys.goals}
    by_category = settings.journeys.timeout_by_category_us
    default = settings.journeys.timeout_us
    return BucketRules(
        settings=settings,
        dictionaries=dictionaries,
        goals=np.array([name in goal_names for name in events], dtype=np.uint8),
        order_event=events.index(_ORDER) if _ORDER in events else -1,
        timeouts=np.array(
            [by_category.get(text, default) if text else 0 for text in coder.dictionaries["category"].texts],
            dtype=np.int64,
        ),
        stages=_stage_names(settings.stages),
        sources=sources,
    )


def _stage_names(model: StageModel) -> tuple[str, ...]:
    """Stage key of everything a journey can have reached, by the codes of percorso.kernels.journeys."""
    reached = [model.stage_of(signal) for signal in ("aware", "consider", "convert", "care", "advocate", "order")]
    reached += [model.after_order, max(model.stage_of("care"), model.stage_of("advocate"))]
    return ("", *(model.stages[position].key for position in reached))
