"""Suggest settings of a workspace from its data."""

from __future__ import annotations

from percorso.analyses.timeouts import TimeoutsSpec, run_timeouts
from percorso.services.question import Ask, question

__all__ = ["suggest_timeout"]

#: Suggest a time-out for purchase journeys.
suggest_timeout: Ask[TimeoutsSpec] = question(run_timeouts, lambda answer: answer.table["journeys"][0].as_py())
