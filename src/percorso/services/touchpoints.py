"""Answer a question about touchpoints."""

from __future__ import annotations

from percorso.analyses.touchpoints import TouchpointsSpec, run_touchpoints
from percorso.services.question import Ask, question

__all__ = ["ask_touchpoints"]

#: Answer a question about touchpoints.
ask_touchpoints: Ask[TouchpointsSpec] = question(run_touchpoints, lambda answer: answer.totals["events"])
