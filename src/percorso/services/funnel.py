"""Answer a funnel about a workspace."""

from __future__ import annotations

from percorso.analyses.funnel import FunnelSpec, run_funnel
from percorso.services.question import Ask, question

__all__ = ["ask_funnel"]

#: Answer a funnel.
ask_funnel: Ask[FunnelSpec] = question(run_funnel, lambda answer: answer.totals["entered"])
