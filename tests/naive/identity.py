"""Plain twin of the whole identity definition: events, rules and decisions in, the person of each event out.

It follows the words of the definition (identifiers, persons from strong identifiers, events to persons). Joining
strong identifiers is the twin in tests.naive.resolution; the normal form of a value is
percorso.identity.identifiers, which is its definition. What the text leaves open is decided so:

- A row's *strong person* is the group of its first unshared strong identifier by rank. A row without one looks at
  its anonymous_id, then at its shared strong identifiers by rank, then at its device_id: the first that has a login
  decides, else the first present. A login is any kept row, wherever it is, that carries the identifier and an
  unshared strong one, `Signed Out` excepted.
- Only the types of `own_types` are identifiers among `other_ids`; their rank follows the order of the setting.
- A `Signed Out` ends the login before it. One before any login that was seen ends nothing, and bounds nothing: what
  comes before the first login is that login's within `backfill`, whoever signed out in between.
- A shared identifier has a timeline like any w, hubs too: seen alone, it goes to its last login.
- Rows of a source in `shared_sources` form timelines of their own for each weak or shared identifier w and source, cut
  into sessions where consecutive rows with w on it lie further apart than the session time-out; rows of a source that
  is neither site nor app are a session each. A session is resolved like a timeline by itself. What no login in it
  claims is an anonymous person keyed by w and the session's first row, by the rule `shared_session`; what follows a
  sign-out is keyed by that, as everywhere.
- Reference keys are asked in the order order_id, return_id, ticket_id, conversation_id, coupon (one that matches
  `single_use_coupons`), each as (kind, ref_space, trimmed value). A row without any identifier takes the person of
  the first of its keys that has an owner: the first row in total order with the key and an unshared strong
  identifier, else the first with a weak or shared one, whose person is that row's own.
- Blocked and malformed identifiers count as absent everywhere, and so do reference keys with a blocked value.
- An `alias` row joins user_id and previous_id. From a source that is neither site nor app they are a forced pair, below
  decisions by hand; previous_id is then no identifier of the row. From site and app previous_id is one more user id of
  the row, after user_id.
- A decision about an identifier that no event carries and no alias names has no effect: two links through such a one
  join nobody.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

from percorso.events.aliases import canonical_name
from percorso.events.event import STRONG_COLUMNS, WEAK_COLUMNS
from percorso.identity.identifiers import IdentifierRules
from percorso.identity.lookup import Identifier
from percorso.settings import IdentitySettings
from tests.naive import resolution

__all__ = ["Key", "Placed", "persons_of"]

HOUR_US = 3_600_000_000
DAY_US = 24 * HOUR_US
SKEW_US = 5 * 60_000_000
BROWSERS = ("web", "app")
REFERENCES = ("order_id", "return_id", "ticket_id", "conversation_id", "coupon")
NEVER = float("inf")

#: Who it is: text of the canonical identifier; (text of w, None or (source, message id)); None: unidentified.
Key = bytes | tuple[bytes, tuple[str, str] | None] | None


class Decisions(Protocol):
    """What percorso.identity.decisions.Folded is."""

    @property
    def forced(self) -> Sequence[tuple[Identifier, Identifier]]: ...

    @property
    def forbidden(self) -> Sequence[tuple[Identifier, Identifier]]: ...


@dataclass(frozen=True)
class Placed:
    person_key: Key
    rule: str
    time_us: int


@dataclass(frozen=True)
class Row:
    """A kept event, its identifiers in normal form."""

    source: str
    message_id: str
    trusted: bool  # from neither site nor app
    time: int
    position: tuple[int, bytes, int, bytes]  # the total order
    strong: tuple[Identifier, ...]  # by falling priority
    anonymous: Identifier | None
    device: Identifier | None
    signed_out: bool
    references: tuple[tuple[str, str, str], ...]
    alias: tuple[Identifier, Identifier] | None

    @property
    def key(self) -> tuple[str, str]:
        return self.source, self.message_id

    @property
    def carried(self) -> list[Identifier]:
        return [w for w in (self.anonymous, *self.strong, self.device) if w]


def persons_of(
    events: Iterable[Mapping[str, Any]],
    settings: IdentitySettings,
    decisions: Decisions | None = None,
    *,
    country: str = "IT",
    session_timeout_us: int = HOUR_US // 2,
    aliases: Mapping[str, str] | None = None,
) -> dict[tuple[str, str], Placed]:
    """Person, rule and time of every event that counts, by (source, message id)."""
    rows = _rows(list(events), settings, IdentifierRules(settings, country), aliases or {})
    group = _groups(rows, settings, decisions)
    strong = {row.key: next((group[i] for i in row.strong if group[i]), None) for row in rows}
    owners = _by_identifier(rows, strong, group, settings, session_timeout_us)
    owners |= _by_reference(rows, strong, owners)
    return {row.key: Placed(*owners.get(row.key, (None, "unidentified")), row.time) for row in rows}


# ------------------------------------------------------------------------------- the events that count


def _rows(
    events: list[Mapping[str, Any]], settings: IdentitySettings, rules: IdentifierRules, aliases: Mapping[str, str]
) -> list[Row]:
    kept = _one_copy_each(events)
    weak = [[_identifier(event, kind, event.get(kind), rules) for kind in WEAK_COLUMNS] for event in kept]
    times = _times(kept, [anonymous or device for anonymous, device in weak])
    rows = [
        _row(event, time, pair, settings, rules, aliases) for event, time, pair in zip(kept, times, weak, strict=True)
    ]
    return sorted(rows, key=lambda row: row.position)


def _one_copy_each(events: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Of the copies of a message the one that was received first, ties by the hash of the row."""
    copies = defaultdict(list)
    for event in events:
        copies[event["source"], event["message_id"]].append(event)

    def standing(event: Mapping[str, Any]) -> tuple[float, bytes]:
        received = event.get("received_at")
        return (_us(received) if received else NEVER), event["row_key"]

    return [min(same, key=standing) for same in copies.values()]


def _us(time: datetime) -> int:
    since = time.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def _times(events: list[Mapping[str, Any]], devices: list[Identifier | None]) -> list[int]:
    """Clock skew by device and UTC day; what is still in the future is placed at its arrival."""
    offsets = defaultdict(list)
    for event, device in zip(events, devices, strict=True):
        if event.get("received_at") and event.get("sent_at"):
            day = _us(event["timestamp"]) // DAY_US
            offsets[device, day].append(_us(event["received_at"]) - _us(event["sent_at"]))
    times = []
    for event, device in zip(events, devices, strict=True):
        time = _us(event["timestamp"])
        offset = min(offsets.get((device, time // DAY_US), [0]))
        if device and abs(offset) > SKEW_US:
            time += offset
        received = _us(event["received_at"]) if event.get("received_at") else None
        times.append(received if received is not None and time > received + HOUR_US else time)
    return times


def _row(
    event: Mapping[str, Any],
    time: int,
    weak: list[Identifier | None],
    settings: IdentitySettings,
    rules: IdentifierRules,
    aliases: Mapping[str, str],
) -> Row:
    own = json.loads(event.get("other_ids") or "{}")
    values = [(kind, event.get(kind)) for kind in STRONG_COLUMNS]
    values += [(kind, None if own.get(kind) is None else str(own[kind])) for kind in settings.own_types]
    strong = [found for kind, value in values if (found := _identifier(event, kind, value, rules))]
    trusted = event["source_kind"] not in BROWSERS
    alias = _alias(event, rules)
    if alias and not trusted:
        strong.insert(1, alias[1])  # the user id is the first: nothing has a better type
    message_id, source = event["message_id"], event["source"]
    return Row(
        source=source,
        message_id=message_id,
        trusted=trusted,
        time=time,
        position=(time, source.encode(), event["sequence"], message_id.encode()),
        strong=tuple(strong),
        anonymous=weak[0],
        device=weak[1],
        signed_out=canonical_name(event["name"], aliases, source_kind=event["source_kind"]) == "Signed Out",
        references=_references(event, settings, rules),
        alias=alias if trusted else None,
    )


def _identifier(event: Mapping[str, Any], kind: str, value: str | None, rules: IdentifierRules) -> Identifier | None:
    normal = None if value is None else rules.normalise(kind, value)
    space = "" if kind in ("email", "phone") else event["id_space"]
    return None if normal is None else Identifier(kind, space, normal)


def _alias(event: Mapping[str, Any], rules: IdentifierRules) -> tuple[Identifier, Identifier] | None:
    now = _identifier(event, "user_id", event.get("user_id"), rules)
    before = _identifier(event, "user_id", event.get("previous_id"), rules)
    return (now, before) if event["type"] == "alias" and now and before and now != before else None


def _references(
    event: Mapping[str, Any], settings: IdentitySettings, rules: IdentifierRules
) -> tuple[tuple[str, str, str], ...]:
    found = []
    for kind in REFERENCES:
        value = rules.normalise(kind, event.get(kind) or "") or ""
        once = kind != "coupon" or any(re.fullmatch(p, value, re.IGNORECASE) for p in settings.single_use_coupons)
        if value and once:
            found.append((kind, event["ref_space"], value))
    return tuple(found)


# --------------------------------------------------------------------------- persons from strong identifiers


_Node = resolution.Identifier
_Pairs = set[frozenset[_Node]]


def _groups(rows: list[Row], settings: IdentitySettings, decisions: Decisions | None) -> dict[Identifier, bytes | None]:
    """Text of the canonical identifier of each identifier's person; None: shared."""
    kinds = (*STRONG_COLUMNS, *settings.own_types)
    aliases = [row.alias for row in rows if row.alias]
    known = {i for row in rows for i in row.strong} | {i for pair in aliases for i in pair}
    node = {i: _Node(kinds.index(i.kind), i.text()) for i in known}
    together: dict[frozenset[_Node], list[Row]] = defaultdict(list)
    for row in rows:
        if row.strong:
            together[frozenset(node[i] for i in row.strong)].append(row)

    def pairs(decided: Iterable[tuple[Identifier, Identifier]]) -> _Pairs:
        return {frozenset((node[a], node[b])) for a, b in decided if a in known and b in known}

    forbidden = pairs(decisions.forbidden if decisions else ())
    forced = pairs(decisions.forced if decisions else ()) | (pairs(aliases) - forbidden)
    rules = resolution.Rules(
        limits=tuple(settings.limit(kind) for kind in kinds),
        hub_better=settings.hub_partners,
        refused_share=settings.shared_share,
        largest=settings.largest_group,
    )
    person: dict[_Node, _Node] = {}
    for part in _parts(node.values(), [*together, *forced]):
        seen = {
            members: resolution.Seen(len(on), min(row.time for row in on), any(row.trusted for row in on))
            for members, on in ((members, together[members]) for members in part if members in together)
        }
        inside = {pair for pair in part if pair in forced}
        person |= resolution.resolve(
            frozenset().union(*part), seen, forced=inside, forbidden=forbidden, rules=rules
        ).person
    return {i: person[x].text if x in person else None for i, x in node.items()}


def _parts(nodes: Iterable[_Node], together: Iterable[frozenset[_Node]]) -> list[list[frozenset[_Node]]]:
    """What stands together, and each identifier by itself, in parts that do not concern each other."""
    every = [*together, *(frozenset((x,)) for x in nodes)]
    part = {x: {x} for members in every for x in members}
    for members in every:
        union = set().union(*({id(part[x]): part[x] for x in members}.values()))
        part.update(dict.fromkeys(union, union))
    found = defaultdict(list)
    for members in dict.fromkeys(every):
        found[id(part[min(members)])].append(members)
    return list(found.values())


# ------------------------------------------------------------------------------ weak and shared identifiers

_Strong = Mapping[tuple[str, str], bytes | None]
_Owners = dict[tuple[str, str], tuple[Key, str]]


def _by_identifier(
    rows: list[Row],
    strong: _Strong,
    group: Mapping[Identifier, bytes | None],
    settings: IdentitySettings,
    session_timeout_us: int,
) -> _Owners:
    """Owner and rule of the rows that carry an identifier; `rows` in total order."""
    everywhere, timelines = set(), defaultdict(list)
    for row in rows:
        place = row.source if row.source in settings.shared_sources else None
        for w in row.carried:
            timelines[w, place].append(row)
            if strong[row.key] and not row.signed_out:
                everywhere.add(w)
    owners: _Owners = {}
    for row in rows:
        if strong[row.key]:
            owners[row.key] = (strong[row.key], "strong")
        elif row.carried:
            w = next((w for w in row.carried if w in everywhere), row.carried[0])
            shared = row.source in settings.shared_sources
            timeline = timelines[w, row.source if shared else None]
            if shared:
                timeline = _session(row, timeline, session_timeout_us)
            owner = _on_timeline(row, w, timeline, strong, settings.backfill_us)
            alone = ((w.text(), timeline[0].key), "shared_session") if shared else ((w.text(), None), "anonymous")
            owners[row.key] = owner or alone
    return owners


def _session(row: Row, timeline: list[Row], timeout_us: int) -> list[Row]:
    """The part of a timeline around a row, without gaps above the time-out."""
    if row.trusted:
        return [row]
    first = last = timeline.index(row)
    while first > 0 and timeline[first].time - timeline[first - 1].time <= timeout_us:
        first -= 1
    while last + 1 < len(timeline) and timeline[last + 1].time - timeline[last].time <= timeout_us:
        last += 1
    return timeline[first : last + 1]


def _on_timeline(
    row: Row, w: Identifier, timeline: list[Row], strong: _Strong, backfill_us: int
) -> tuple[Key, str] | None:
    """The person of the login around a row, or what a sign-out left; None: no login claims it."""
    logins = [r for r in timeline if strong[r.key] and not r.signed_out]
    before = [r for r in logins if r.position <= row.position]
    after = [r for r in logins if r.position > row.position]
    if not before:
        soon = after and after[0].time - row.time <= backfill_us
        return (strong[after[0].key], "login_after") if soon else None
    owner = strong[before[-1].key]
    outs = [r for r in timeline if r.signed_out and before[-1].position < r.position < row.position]
    if not outs:
        return owner, "login_before"
    if after and strong[after[0].key] == owner:
        return owner, "signed_out_same"
    return (w.text(), outs[0].key), "signed_out"


def _by_reference(rows: list[Row], strong: _Strong, owners: _Owners) -> _Owners:
    """Owner of the rows that carry nothing but reference keys."""
    owning: dict[tuple[str, str, str], Row] = {}
    ranked: list[Callable[[Row], bool]] = [lambda row: bool(strong[row.key]), lambda row: bool(row.carried)]
    for qualifies in ranked:
        for row in rows:
            for reference in row.references if qualifies(row) else ():
                owning.setdefault(reference, row)
    found: _Owners = {}
    for row in rows:
        known = [owning[reference] for reference in row.references if reference in owning]
        if known and not row.carried:
            found[row.key] = (owners[known[0].key][0], "reference")
    return found
