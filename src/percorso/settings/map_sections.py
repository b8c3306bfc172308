"""The sections of `percorso.toml` on the journey map: what the team writes and no data can tell."""

from __future__ import annotations

from percorso.settings import kinds
from percorso.settings.sections import Key, Section
from percorso.settings.values import MapGoal, MapSettings

__all__ = ["MAP"]

MAP = Section(
    "map",
    "table",
    "The journey map: what the team writes beside what is measured.",
    "La mappa del percorso: ciò che scrive il team accanto a ciò che è misurato.",
    MapSettings,
    (),
    (
        Section(
            "map.goals",
            "list",
            "What customers want at a stage, and what the brand wants there.",
            "Che cosa vogliono i clienti in una fase, e che cosa vuole il marchio.",
            MapGoal,
            (
                Key("stage", kinds.TEXT, "Key of the stage.", "Chiave della fase.", required=True),
                Key("customer", kinds.TEXT, "What customers want.", "Che cosa vogliono i clienti."),
                Key("brand", kinds.TEXT, "What the brand wants.", "Che cosa vuole il marchio."),
                Key(
                    "persona",
                    kinds.TEXT,
                    "Only on the map of this persona; without it, on all maps.",
                    "Solo sulla mappa di questa buyer persona; senza, su tutte le mappe.",
                ),
            ),
            example=(
                'stage = "consideration"\n'
                'customer = "Find out which guitar suits a beginner"\n'
                'brand = "Be on the short list of three"'
            ),
        ),
    ),
)
