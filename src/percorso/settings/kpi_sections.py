"""The sections of `percorso.toml` on KPIs: what the team wants them to reach, and when service is open."""

from __future__ import annotations

from percorso.settings import kinds
from percorso.settings.sections import Key, Section
from percorso.settings.values import ServiceSettings, Target

__all__ = ["SERVICE", "TARGETS"]

TARGETS = Section(
    "targets",
    "list",
    "Values that the team wants KPIs to reach; `percorso kpis` shows them beside what is. Of several for one KPI the "
    "last one holds.",
    "Valori che il team vuole raggiungere; `percorso kpis` li mostra accanto a quelli reali. Se ce ne sono più d'uno "
    "per lo stesso KPI vale l'ultimo.",
    Target,
    (
        Key(
            "kpi",
            kinds.TEXT,
            "Key of the KPI: see `percorso kpis --list`.",
            "Chiave del KPI: vedi `percorso kpis --list`.",
            required=True,
        ),
        Key(
            "value",
            kinds.NUMBER,
            "The value: shares from 0 to 1, money in the workspace's currency, durations in seconds.",
            "Il valore: quote da 0 a 1, importi nella valuta dello spazio di lavoro, durate in secondi.",
            required=True,
        ),
        Key(
            "from",
            kinds.DAY,
            "For periods that end on this day or later.",
            "Per i periodi che finiscono in questo giorno o dopo.",
            "start",
        ),
        Key(
            "to",
            kinds.DAY,
            "For periods that end on this day or before.",
            "Per i periodi che finiscono in questo giorno o prima.",
            "end",
        ),
    ),
    example='kpi = "conversion_rate"\nvalue = 0.02',
)

SERVICE = Section(
    "service",
    "table",
    "When service is open: how long customers wait for an answer counts only then. Without days it is always open.",
    "Quando l'assistenza è aperta: l'attesa di una risposta conta solo allora. Senza giorni è sempre aperta.",
    ServiceSettings,
    (
        Key("weekdays", kinds.WEEKDAYS, "Days of the week.", "Giorni della settimana."),
        Key(
            "hours",
            kinds.HOURS,
            "Hours, by the clock of the workspace's time zone.",
            "Orario, nel fuso orario dello spazio di lavoro.",
        ),
    ),
)
