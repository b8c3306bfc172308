"""Answer a question about retention of a workspace."""

from __future__ import annotations

from percorso.analyses.retention import RetentionSpec, run_retention
from percorso.services.question import Ask, question

__all__ = ["ask_retention"]

#: Answer a question about retention.
ask_retention: Ask[RetentionSpec] = question(run_retention, lambda answer: answer.totals["persons"])
