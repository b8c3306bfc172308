"""Answer a question about journeys of a workspace."""

from __future__ import annotations

from percorso.analyses.journeys import JourneysSpec, run_journeys
from percorso.services.question import Ask, question

__all__ = ["ask_journeys"]

#: Answer a question about journeys.
ask_journeys: Ask[JourneysSpec] = question(run_journeys, lambda answer: answer.totals["journeys"])
