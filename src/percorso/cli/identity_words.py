"""What `identity explain` and `identity report` say of identifiers, rules and reasons."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from percorso.cli.texts import day_text, local_text, percent_text, span_text
from percorso.identity.decisions import Decision, MaskedIdentifier
from percorso.language.words import Words
from percorso.services.explained import EventExplanation, Refusal, Sharing, ShownEvent
from percorso.services.identity_state import ShownIdentifier

__all__ = [
    "event_name",
    "event_paragraph",
    "masked_name",
    "name_of",
    "refusal_words",
    "sharing_words",
    "told_decision",
]

_SHORT_ID = 12
_ANONYMOUS = ("signed_out", "anonymous", "shared_session")


def name_of(identifier: ShownIdentifier) -> str:
    """An identifier in words, the same in every language: types are what options and settings take.

    Examples
    --------
    >>> name_of(ShownIdentifier("user_id", "shop", "u…42")), name_of(ShownIdentifier("email", None, "a•••@b.it"))
    ('user_id u…42 in shop', 'email a•••@b.it')
    """
    where = f" in {identifier.space}" if identifier.space else ""
    return f"{identifier.type} {identifier.value}{where}"


def masked_name(identifier: MaskedIdentifier) -> str:
    """An identifier of a decision in words; see :func:`name_of`."""
    return name_of(ShownIdentifier(identifier.kind, identifier.space or None, identifier.shown))


def event_name(event: ShownEvent, zone: ZoneInfo, words: Words) -> str:
    """An event in words: what, when, and where to find it."""
    time = local_text(event.time_us, zone, words)
    if not event.name:
        return words.text("identity.event_unnamed", time=time, source=event.source, message=event.message_id)
    return words.text("identity.event_of", name=event.name, time=time, source=event.source, message=event.message_id)


def told_decision(decision: Decision, zone: ZoneInfo, words: Words, *, to_the_second: bool = False) -> str:
    """A decision in words, with its day or its time."""
    kind, who = words.code("value", decision.kind), {"author": decision.author, "reason": decision.reason}
    if to_the_second:
        return words.text("identity.told", kind=kind, when=local_text(decision.decided_us, zone, words), **who)
    return words.text("identity.told_short", kind=kind, when=day_text(decision.decided_us, zone, words), **who)


def sharing_words(sharing: Sharing, words: Words) -> str:
    """Why an identifier is shared, in a sentence."""
    if sharing.reason == "contradictions":
        share = percent_text(sharing.contradicting / max(sharing.events, 1), words)
        return words.text(
            "identity.contradictions", contradicting=sharing.contradicting, events=sharing.events, share=share
        )
    if sharing.reason == "too_large":
        return words.text("identity.too_large", partners=sharing.partners, most=sharing.most)
    kind, setting = str(sharing.type), "identity.hub_partners"
    if sharing.reason != "too_many_better":
        setting = words.text("identity.twice_limit", type=kind)
    if sharing.space:
        kind = words.text("identity.type_in", type=kind, space=sharing.space)
    return words.text("identity.too_many", partners=sharing.partners, type=kind, most=sharing.most, setting=setting)


def refusal_words(refusal: Refusal, zone: ZoneInfo, words: Words) -> str:
    """Why an edge was refused, and what follows from it."""
    if refusal.effect == "apart":
        why = words.text("identity.a_decision")
        if refusal.decision is not None:
            why = told_decision(refusal.decision, zone, words)
        return words.text("identity.kept_apart", why=why)
    why = words.text("identity.some_limits")
    if refusal.limit_type is not None and refusal.limit is not None:
        why = words.text("identity.limit_of", limit=refusal.limit, type=refusal.limit_type)
    if refusal.charged is not None:
        why = words.text("identity.charged", why=why, name=name_of(refusal.charged))
    if refusal.effect == "shared":
        return words.text("identity.shared_by_it", why=why)
    return words.text("identity.without_effect", why=why)


def event_paragraph(told: EventExplanation, zone: ZoneInfo, backfill_us: int, words: Words) -> str:
    """Why one event is whose it is, in a paragraph."""
    return " ".join([_carried(told, words), *_because(told, zone, backfill_us, words), _whose(told, words)])


def _carried(told: EventExplanation, words: Words) -> str:
    if not told.identifiers:
        return words.text("identity.carries_nothing")
    return words.text("identity.carries", names=", ".join(map(name_of, told.identifiers)))


def _whose(told: EventExplanation, words: Words) -> str:
    if told.event.person is None:
        return words.text("identity.nobodys")
    person = told.event.person[:_SHORT_ID]
    if told.rule in _ANONYMOUS:
        return words.text("identity.of_anonymous", person=person)
    return words.text("identity.of_person", person=person)


def _because(told: EventExplanation, zone: ZoneInfo, backfill_us: int, words: Words) -> list[str]:
    """What the rule looked at."""
    match told.rule:
        case "strong" if len(told.identifiers) == 1:
            return [words.text("identity.not_shared")]
        case "strong":
            return [words.text("identity.best_is", name=_decider(told, words))]
        case "reference" | "unidentified":
            return _by_reference(told, zone, words)
        case "shared_session":
            return [words.text("identity.shared_source", source=told.event.source)]
        case _:
            return _by_logins(told, zone, backfill_us, words)


def _decider(told: EventExplanation, words: Words) -> str:
    return name_of(told.decided_by) if told.decided_by else words.text("identity.this")


def _by_logins(told: EventExplanation, zone: ZoneInfo, backfill_us: int, words: Words) -> list[str]:
    by = _decider(told, words)
    said = [words.text("identity.logins_decide_all", by=by)]
    if len(told.identifiers) == 1:
        said = [words.text("identity.logins_decide", by=by)]
    if told.login is None and told.next_login is None:
        return [*said, words.text("identity.no_login")]
    if told.login is None:
        return [*said, _first_login(told, zone, backfill_us, words)]
    said.append(words.text("identity.last_login", event=event_name(told.login, zone, words)))
    if told.sign_out is not None:
        said.append(words.text("identity.signed_out", event=event_name(told.sign_out, zone, words)))
    following = "" if told.next_login is None else event_name(told.next_login, zone, words)
    if told.rule == "signed_out_same" and following:
        said.append(words.text("identity.sign_in_same", event=following))
    elif told.rule == "signed_out" and following:
        said.append(words.text("identity.sign_in_other", event=following))
    elif told.rule == "signed_out":
        said.append(words.text("identity.sign_in_nobody"))
    return said


def _first_login(told: EventExplanation, zone: ZoneInfo, backfill_us: int, words: Words) -> str:
    assert told.next_login is not None
    wait = span_text(told.next_login.time_us - told.event.time_us, words)
    limit, event = span_text(backfill_us, words).split()[0], event_name(told.next_login, zone, words)
    if told.rule == "login_after":
        return words.text("identity.first_within", wait=wait, limit=limit, event=event)
    return words.text("identity.first_beyond", wait=wait, limit=limit, event=event)


def _by_reference(told: EventExplanation, zone: ZoneInfo, words: Words) -> list[str]:
    if told.reference is None:
        return []
    number = f"{told.reference} {told.reference_value}"
    if told.owner is None:
        return [words.text("identity.no_owner", number=number)]
    return [words.text("identity.owner", number=number, event=event_name(told.owner, zone, words))]
