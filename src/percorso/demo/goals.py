"""What Legnocorda's team wrote onto its journey map: what customers want at each stage, and what the shop wants.

Written by hand, as a team does at the table; the rest of the map is measured.
"""

from __future__ import annotations

import json

__all__ = ["GOALS", "goals_toml"]

#: By language: stage, what customers want, what the shop wants, and the persona where it is of one.
GOALS: dict[str, tuple[tuple[str, str, str, str], ...]] = {
    "it": (
        ("awareness", "Capire da dove cominciare", "Farci conoscere da chi inizia", ""),
        ("consideration", "Scegliere lo strumento giusto senza sbagliare", "Essere fra i tre negozi confrontati", ""),
        ("conversion", "Pagare in due minuti, senza sorprese", "Nessun costo che compare alla fine", ""),
        ("retention", "Riceverlo intero, il giorno promesso", "Un secondo acquisto entro sei mesi", ""),
        ("advocacy", "Suonare con altri", "Che ci consiglino a un amico", ""),
    ),
    "en": (
        ("awareness", "Find out where to begin", "Be known by those who begin", ""),
        ("consideration", "Choose the right instrument", "Be among the three shops compared", ""),
        ("conversion", "Pay in two minutes, without surprises", "No cost that shows at the end", ""),
        ("retention", "Get it whole, on the day promised", "A second order within six months", ""),
        ("advocacy", "Play with others", "Be recommended to a friend", ""),
    ),
}


def goals_toml(language: str) -> str:
    """The goals as they stand in `percorso.toml`."""
    blocks = []
    for stage, customer, brand, persona in GOALS[language]:
        pairs = {"stage": stage, "customer": customer, "brand": brand, "persona": persona}
        lines = [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in pairs.items() if value]
        blocks.append("\n".join(["[[map.goals]]", *lines]))
    return "\n\n".join(blocks) + "\n"
