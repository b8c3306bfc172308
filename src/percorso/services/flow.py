"""Answer a flow about a workspace."""

from __future__ import annotations

from percorso.analyses.flow import FlowSpec, run_flow
from percorso.services.question import Ask, question

__all__ = ["ask_flow"]

#: Answer a flow.
ask_flow: Ask[FlowSpec] = question(run_flow, lambda answer: answer.totals["cases"])
