"""Percorso: customer journeys from the files your shop already has.

::

    import percorso

    shop = percorso.open("shop")
    shop.funnel(["Product Viewed", "Product Added", "Order Completed"], within="7d").table
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from percorso.analyses.channels import ChannelsSpec
    from percorso.analyses.flow import FlowSpec
    from percorso.analyses.funnel import FunnelSpec
    from percorso.analyses.journeys import JourneysSpec
    from percorso.analyses.kpis import KpisSpec
    from percorso.analyses.lifecycle import LifecycleSpec
    from percorso.analyses.map import MapSpec
    from percorso.analyses.places import PlacesSpec
    from percorso.analyses.quality import QualitySpec
    from percorso.analyses.result import Result
    from percorso.analyses.retention import RetentionSpec
    from percorso.analyses.spec import Scope
    from percorso.analyses.stages import StagesSpec
    from percorso.analyses.timeouts import TimeoutsSpec
    from percorso.analyses.touchpoints import TouchpointsSpec
    from percorso.analyses.variants import VariantsSpec
    from percorso.errors import PercorsoError
    from percorso.facade import Percorso
    from percorso.facade import open_percorso as open  # noqa: A004
    from percorso.reports.spec import ReportSpec
    from percorso.services.people import FlowCell, FunnelCell, VariantCell
    from percorso.services.people_of_contacts import ContactCell
    from percorso.services.people_over_time import JourneysCell, LifecycleCell, RetentionCell, TimeoutCell

__all__ = [
    "ChannelsSpec",
    "ContactCell",
    "FlowCell",
    "FlowSpec",
    "FunnelCell",
    "FunnelSpec",
    "JourneysCell",
    "JourneysSpec",
    "KpisSpec",
    "LifecycleCell",
    "LifecycleSpec",
    "MapSpec",
    "Percorso",
    "PercorsoError",
    "PlacesSpec",
    "QualitySpec",
    "ReportSpec",
    "Result",
    "RetentionCell",
    "RetentionSpec",
    "Scope",
    "StagesSpec",
    "TimeoutCell",
    "TimeoutsSpec",
    "TouchpointsSpec",
    "VariantCell",
    "VariantsSpec",
    "__version__",
    "open",
]

__version__ = "0.1.0"

# Loaded when first used: the version is asked for by commands that need no compiled loops, which take half a second.
_HOMES = {
    "ChannelsSpec": ("percorso.analyses.channels", "ChannelsSpec"),
    "ContactCell": ("percorso.services.people_of_contacts", "ContactCell"),
    "FlowCell": ("percorso.services.people", "FlowCell"),
    "FlowSpec": ("percorso.analyses.flow", "FlowSpec"),
    "FunnelCell": ("percorso.services.people", "FunnelCell"),
    "FunnelSpec": ("percorso.analyses.funnel", "FunnelSpec"),
    "JourneysCell": ("percorso.services.people_over_time", "JourneysCell"),
    "JourneysSpec": ("percorso.analyses.journeys", "JourneysSpec"),
    "KpisSpec": ("percorso.analyses.kpis", "KpisSpec"),
    "LifecycleCell": ("percorso.services.people_over_time", "LifecycleCell"),
    "LifecycleSpec": ("percorso.analyses.lifecycle", "LifecycleSpec"),
    "MapSpec": ("percorso.analyses.map", "MapSpec"),
    "Percorso": ("percorso.facade", "Percorso"),
    "PercorsoError": ("percorso.errors", "PercorsoError"),
    "PlacesSpec": ("percorso.analyses.places", "PlacesSpec"),
    "QualitySpec": ("percorso.analyses.quality", "QualitySpec"),
    "ReportSpec": ("percorso.reports.spec", "ReportSpec"),
    "Result": ("percorso.analyses.result", "Result"),
    "RetentionCell": ("percorso.services.people_over_time", "RetentionCell"),
    "RetentionSpec": ("percorso.analyses.retention", "RetentionSpec"),
    "Scope": ("percorso.analyses.spec", "Scope"),
    "StagesSpec": ("percorso.analyses.stages", "StagesSpec"),
    "TimeoutCell": ("percorso.services.people_over_time", "TimeoutCell"),
    "TimeoutsSpec": ("percorso.analyses.timeouts", "TimeoutsSpec"),
    "TouchpointsSpec": ("percorso.analyses.touchpoints", "TouchpointsSpec"),
    "VariantCell": ("percorso.services.people", "VariantCell"),
    "VariantsSpec": ("percorso.analyses.variants", "VariantsSpec"),
    "open": ("percorso.facade", "open_percorso"),
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'percorso' has no attribute '{name}'")
    module, attribute = _HOMES[name]
    value = getattr(importlib.import_module(module), attribute)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
