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
    from percorso.analyses.flow import FlowSpec
    from percorso.analyses.funnel import FunnelSpec
    from percorso.analyses.result import Result
    from percorso.analyses.spec import Scope
    from percorso.analyses.variants import VariantsSpec
    from percorso.errors import PercorsoError
    from percorso.facade import Percorso
    from percorso.facade import open_percorso as open  # noqa: A004
    from percorso.services.people import FlowCell, FunnelCell, VariantCell

__all__ = [
    "FlowCell",
    "FlowSpec",
    "FunnelCell",
    "FunnelSpec",
    "Percorso",
    "PercorsoError",
    "Result",
    "Scope",
    "VariantCell",
    "VariantsSpec",
    "__version__",
    "open",
]

__version__ = "0.1.0"

# Loaded when first used: the version is asked for by commands that need no compiled loops, which take half a second.
_HOMES = {
    "FlowCell": ("percorso.services.people", "FlowCell"),
    "FlowSpec": ("percorso.analyses.flow", "FlowSpec"),
    "FunnelCell": ("percorso.services.people", "FunnelCell"),
    "FunnelSpec": ("percorso.analyses.funnel", "FunnelSpec"),
    "Percorso": ("percorso.facade", "Percorso"),
    "PercorsoError": ("percorso.errors", "PercorsoError"),
    "Result": ("percorso.analyses.result", "Result"),
    "Scope": ("percorso.analyses.spec", "Scope"),
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
