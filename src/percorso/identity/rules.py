"""The settings of identity, as placing takes them."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import lru_cache

import numpy as np

from percorso.identity.placement import PlacementRules
from percorso.identity.resolution import ResolutionRules
from percorso.identity.tables import strong_types
from percorso.identity.timelines import TimelineRules
from percorso.settings import Settings

__all__ = ["coupon_test", "placement_rules"]


def placement_rules(settings: Settings) -> PlacementRules:
    """The workspace's rules of identity."""
    identity = settings.identity
    limits = [identity.limit(kind) for kind in strong_types(identity.own_types)]
    return PlacementRules(
        ResolutionRules(
            limits=np.array(limits, dtype=np.int32),
            hub_better=identity.hub_partners,
            refused_share=identity.shared_share,
            largest=identity.largest_group,
        ),
        TimelineRules(identity.backfill_us, settings.sessions.timeout_us, identity.shared_sources),
    )


def coupon_test(patterns: Sequence[str]) -> Callable[[str], bool]:
    """Is a coupon given to one person alone: does it match one of the patterns, whole and whatever its case?"""
    if not patterns:
        return lambda text: False
    compiled = [re.compile(pattern, re.IGNORECASE) for pattern in patterns]
    return lru_cache(maxsize=1 << 16)(lambda text: any(one.fullmatch(text.strip()) for one in compiled))
