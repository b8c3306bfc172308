"""The sections of `percorso.toml` on who did it: persons and bots."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from percorso.errors import nearest_hint
from percorso.settings import kinds
from percorso.settings.sections import Key, Problem, Section
from percorso.settings.values import OWN_TYPE_LIMIT, SHIPPED_LIMITS, BotSettings, IdentitySettings

__all__ = ["BOTS", "IDENTITY"]


def _check_limits(values: Mapping[str, Any]) -> Problem | None:
    """Limits are given for types that there are."""
    types = (*SHIPPED_LIMITS, *values.get("own_types", ()))
    for name in values.get("limits", {}):
        if name not in types:
            return Problem(("limits", name), "is not a type of strong identifier.", nearest_hint(name, types))
    return None


IDENTITY = Section(
    "identity",
    "table",
    "Who is one person.",
    "Chi è una persona sola.",
    IdentitySettings,
    (
        Key(
            "blocked_values",
            kinds.TEXTS,
            "Identifier values that point at nobody, beside the shipped ones (null, guest, test@test.com, ...).",
            "Valori che non indicano nessuno, oltre a quelli forniti (null, guest, test@test.com, ...).",
        ),
        Key(
            "own_types",
            kinds.OWN_TYPES,
            "Own types of identifier, strong, of lower priority than the shipped ones, from the first on.",
            "Tipi propri di identificativo, forti, con priorità sotto quelli forniti, dal primo in poi.",
        ),
        Key(
            "backfill",
            kinds.DURATION,
            "Events before a first login belong to it if it comes within this time.",
            "Gli eventi prima del primo accesso gli appartengono se arriva entro questo tempo.",
            "backfill_us",
        ),
        Key(
            "shared_sources",
            kinds.TEXTS,
            "Sources whose device many people use (kiosk, till tablet): there a visit without a login is a person "
            "of its own.",
            "Origini il cui dispositivo è usato da molti (totem, tablet di cassa): lì una visita senza accesso è una "
            "persona a sé.",
        ),
        Key(
            "single_use_coupons",
            kinds.PATTERNS,
            "Coupons that match one of these as a whole, in any case of letters, are given to one person each: they "
            "tell whose an event without identifiers is.",
            "I coupon che corrispondono per intero a uno di questi, maiuscole o minuscole, sono dati a una persona "
            "ciascuno: dicono di chi è un evento senza identificativi.",
        ),
        Key(
            "hub_partners",
            kinds.whole_number(1, 1_000_000),
            "An identifier seen with more than this many different ones of a better type is shared and joins nobody.",
            "Un identificativo visto con più di così tanti altri di un tipo migliore è condiviso e non unisce nessuno.",
        ),
        Key(
            "shared_share",
            kinds.SHARE,
            "An identifier is shared once this share of its events beside others contradicts whose it is.",
            "Un identificativo è condiviso quando questa quota dei suoi eventi con altri contraddice di chi è.",
        ),
        Key(
            "largest_group",
            kinds.whole_number(2, 1_000_000_000),
            "Larger groups of connected identifiers are taken apart at their most connected ones.",
            "I gruppi più grandi di identificativi collegati sono divisi nei punti con più collegamenti.",
        ),
    ),
    (
        Section(
            "identity.limits",
            "map",
            "Type of identifier = how many of them, within one id space, one person can have. The defaults are shown; "
            f"own types have {OWN_TYPE_LIMIT}.",
            "Tipo di identificativo = quanti, in uno stesso spazio, ne può avere una persona. Sono mostrati i valori "
            f"normali; per i tipi propri è {OWN_TYPE_LIMIT}.",
            values=kinds.whole_number(1, 1_000_000),
            example="\n".join(f"{name} = {limit}" for name, limit in SHIPPED_LIMITS.items()),
        ),
    ),
    check=_check_limits,
)

BOTS = Section(
    "bots",
    "table",
    "Bots are flagged, never deleted; analyses leave them out unless asked.",
    "I bot sono segnati, mai cancellati; le analisi li escludono se non richiesto.",
    BotSettings,
    (
        Key(
            "user_agents",
            kinds.PATTERNS,
            "User agents that match one of these are bots too.",
            "Sono bot anche gli user agent che corrispondono a uno di questi.",
        ),
        Key(
            "allowed",
            kinds.PATTERNS,
            "User agents that match one of these are never bots.",
            "Gli user agent che corrispondono a uno di questi non sono mai bot.",
        ),
    ),
)
