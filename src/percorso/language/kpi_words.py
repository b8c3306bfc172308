"""What KPIs are called, what they mean, and why one is missing, in English and Italian: ``data/kpis.toml``."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from typing import Any

__all__ = ["kpi_label", "kpi_meaning", "kpi_name", "kpi_reason", "kpi_texts"]


@lru_cache(maxsize=1)
def kpi_texts() -> Mapping[str, Mapping[str, Any]]:
    """The catalogue: ``kpi`` and ``missing``, each by key."""
    return tomllib.loads((files("percorso.language") / "data" / "kpis.toml").read_text(encoding="utf-8"))


def kpi_name(key: str, language: str = "en") -> str:
    """What a KPI is called."""
    name: str = kpi_texts()["kpi"][key][language]
    return name


def kpi_meaning(key: str, language: str = "en") -> str:
    """Its definition, a sentence."""
    meaning: str = kpi_texts()["kpi"][key][f"{language}_meaning"]
    return meaning


def kpi_reason(key: str, language: str = "en") -> str:
    """Why a KPI has no value."""
    reason: str = kpi_texts()["missing"][key][language]
    return reason


def kpi_label(key: str, language: str = "en") -> str:
    """What stands above and beside KPIs: stages, heads of columns, verdicts."""
    label: str = kpi_texts()["label"][key][language]
    return label
