"""Answer a question about places."""

from __future__ import annotations

from percorso.analyses.places import PlacesSpec, run_places
from percorso.services.question import Ask, question

__all__ = ["ask_places"]

#: Answer a question about places.
ask_places: Ask[PlacesSpec] = question(run_places, lambda answer: answer.totals["contacts"])
