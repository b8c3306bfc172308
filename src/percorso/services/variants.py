"""Answer a question about variants of a workspace."""

from __future__ import annotations

from percorso.analyses.variants import VariantsSpec, run_variants
from percorso.services.question import Ask, question

__all__ = ["ask_variants"]

#: Answer a question about variants.
ask_variants: Ask[VariantsSpec] = question(run_variants, lambda answer: answer.totals["total"])
