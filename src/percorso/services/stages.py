"""Answer a question about stages."""

from __future__ import annotations

from percorso.analyses.stages import StagesSpec, run_stages
from percorso.services.question import Ask, question

__all__ = ["ask_stages"]

#: Answer a question about stages.
ask_stages: Ask[StagesSpec] = question(run_stages, lambda answer: answer.totals["persons"])
