"""Answer a question about the lifecycle of a workspace."""

from __future__ import annotations

from percorso.analyses.lifecycle import LifecycleSpec, run_lifecycle
from percorso.services.question import Ask, question

__all__ = ["ask_lifecycle"]

#: Answer a question about the lifecycle.
ask_lifecycle: Ask[LifecycleSpec] = question(run_lifecycle, lambda answer: answer.totals["persons"])
