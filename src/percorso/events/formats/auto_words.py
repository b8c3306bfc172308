"""Words of columns that say what happened: movements of a till, states of an order, what became of an e-mail."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from percorso.events.aliases import CANONICAL_EVENTS, canonical_name
from percorso.events.formats.auto_synonyms import plain_name

__all__ = ["event_of", "is_last_state", "is_understood", "speaks_of_email"]

_COMPLETED, _REFUNDED, _CANCELLED = "Order Completed", "Order Refunded", "Order Cancelled"

#: What a till or an accountant calls a movement.
_MOVEMENTS = {
    _COMPLETED: "vendita, vendite, vendita al banco, vendita banco, sale, sales, sold, scontrino, acquisto, purchase",
    _REFUNDED: "reso, resi, reso cliente, reso merce, return, refund, rimborso, nota di credito, nota credito, "
    "credit note",
    _CANCELLED: "annullo, annullamento, annullo scontrino, storno, void",
    "Order Exchanged": "cambio, cambio merce, exchange",
}
#: States of an order that was placed -> what they are in a list with one row a state.
_STATES = {
    _COMPLETED: "pagato, pagata, paid, completato, completata, completed, complete, concluso, conclusa, ordinato, "
    "fatturato, fatturata, invoiced, approvato, approvata, approved",
    "Order Confirmed": "confermato, confermata, confirmed, in lavorazione, in preparazione, processing",
    "Order Shipped": "spedito, spedita, inviato, shipped, dispatched, evaso, evasa, fulfilled",
    "Order Delivered": "consegnato, consegnata, delivered",
    "Order Collected": "ritirato, ritirata, collected, picked up",
}
_ENDS = {
    _CANCELLED: "annullato, annullata, cancellato, cancellata, cancelled, canceled, stornato, stornata, voided",
    _REFUNDED: "rimborsato, rimborsata, refunded, returned, restituito, restituita",
    "Payment Failed": "fallito, fallita, failed, pagamento fallito, pagamento rifiutato",
}
_EMAILS = {
    "Email Sent": "inviata, inviato, invio, spedita, spedito",
    "Email Delivered": "consegnata, consegnato, recapitata, recapitato, ricevuta, ricevuto",
    "Email Opened": "aperta, aperto, apertura, letta, letto",
    "Email Link Clicked": "cliccata, cliccato, clic, click, clicked, link cliccato",
    "Unsubscribed": "disiscritta, disiscritto, disiscrizione, cancellazione, unsubscribed",
    "Email Bounced": "rimbalzata, rimbalzato, rimbalzo, respinta, respinto, hard bounce, soft bounce, errore",
    "Email Marked as Spam": "spam, segnalata come spam, segnalato come spam",
}
_TELLING_EMAIL = frozenset({"Email Opened", "Email Link Clicked", "Unsubscribed", "Email Bounced"})


def _by_word(names: dict[str, str]) -> dict[str, str]:
    return {word: name for name, words in names.items() for word in words.split(", ")}


_OF_MOVEMENT, _OF_STATE, _OF_END, _OF_EMAIL = (_by_word(names) for names in (_MOVEMENTS, _STATES, _ENDS, _EMAILS))


def event_of(text: str, kind: str, *, one_state: bool, amounts: bool) -> str:
    """The canonical event that a cell names, "" where nobody knows it.

    Parameters
    ----------
    text, kind : str
        The cell, and the kind of its source.
    one_state : bool
        The column holds the last state of an order that has no other row: whatever came after the order,
        it was placed.
    amounts : bool
        The rows have amounts: what came back is then money.

    Examples
    --------
    >>> [event_of(text, "server", one_state=True, amounts=True) for text in ("RESO", "spedito", "boh")]
    ['Order Refunded', 'Order Completed', '']
    >>> [event_of(text, "server", one_state=False, amounts=False) for text in ("RESO", "spedito")]
    ['Order Returned', 'Order Shipped']
    """
    word = plain_name(text)
    known = canonical_name(text, {}, source_kind=kind)
    known = known if known in CANONICAL_EVENTS else ""
    if kind == "email":
        return _OF_EMAIL.get(word) or known
    if kind == "delivery":
        return known or _OF_STATE.get(word) or _OF_END.get(word, "")
    if word in _OF_STATE:
        return _COMPLETED if one_state else _OF_STATE[word]
    movement = _OF_MOVEMENT.get(word) or _OF_END.get(word) or known
    return "Order Returned" if movement == _REFUNDED and word in _OF_MOVEMENT and not amounts else movement


def is_understood(text: str) -> bool:
    """Whether a cell says what happened, in any kind of source."""
    return any(event_of(text, kind, one_state=True, amounts=True) for kind in ("pos", "email"))


def is_last_state(text: str) -> bool:
    """Whether a cell is a state that takes an order back."""
    return _OF_END.get(plain_name(text)) in (_CANCELLED, _REFUNDED)


def speaks_of_email(texts: Sequence[str]) -> Collection[str]:
    """The cells that tell of e-mails, if the column does: nearly all its cells, in at least two ways.

    Examples
    --------
    >>> sorted(speaks_of_email(["inviata", "aperta", "inviata"])), speaks_of_email(["inviato", "consegnato"])
    (['aperta', 'inviata'], [])
    """
    events = {text: event_of(text, "email", one_state=False, amounts=False) for text in set(texts)}
    told = {text: name for text, name in events.items() if name in _EMAILS}
    names = set(told.values())
    enough = sum(text in told for text in texts) >= 0.8 * len(texts)
    return list(told) if enough and len(names) > 1 and names & _TELLING_EMAIL else []
