"""Who is one person, case by case: what the rules say of families, kiosks, agents, gifts and tills."""

from __future__ import annotations

import random
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from percorso.identity.lookup import Identifier
from percorso.settings import IdentitySettings
from tests.identity.compiled import folded, persons_of
from tests.identity.spread import persons_of_a_cluster
from tests.lake_builder import event
from tests.naive import identity as naive

Rows = Sequence[Mapping[str, Any]]
Pair = tuple[Identifier, Identifier]
#: Message id -> (person, rule); the person is None where the event is nobody's.
Persons = dict[str, tuple[Hashable, str]]


@dataclass(frozen=True)
class Decided:
    """Pairs that people decided about."""

    forced: tuple[Pair, ...] = ()
    forbidden: tuple[Pair, ...] = ()


def by_the_twin(rows: Rows, settings: IdentitySettings, decisions: Decided, folder: Path) -> Persons:
    found = naive.persons_of(rows, settings, decisions)
    return {message: (placed.person_key, placed.rule) for (_, message), placed in found.items()}


def compiled(rows: Rows, settings: IdentitySettings, decisions: Decided, folder: Path) -> Persons:
    found = persons_of(rows, settings, folder, folded(decisions.forced, decisions.forbidden))
    return {message: (person or None, rule) for (_, message), (person, rule, _) in found.items()}


def on_a_cluster(rows: Rows, settings: IdentitySettings, decisions: Decided, folder: Path) -> Persons:
    told = folded(decisions.forced, decisions.forbidden)
    found = persons_of_a_cluster(rows, settings, folder, told, n_parts=61)
    return {message: (person or None, rule) for (_, message), (person, rule, _) in found.items()}


#: What must give these answers. Each takes rows, settings, decisions and a folder of its own.
IMPLEMENTATIONS: list[Callable[[Rows, IdentitySettings, Decided, Path], Persons]] = [
    by_the_twin,
    compiled,
    on_a_cluster,
]


class Asked:
    """The answers of one implementation, for several questions."""

    def __init__(self, ask: Callable[[Rows, IdentitySettings, Decided, Path], Persons], folder: Path) -> None:
        self._ask = ask
        self._folder = folder
        self._questions = 0

    def __call__(self, rows: Rows, decisions: Decided | None = None, **settings: Any) -> Persons:
        self._questions += 1
        folder = self._folder / str(self._questions)
        return self._ask(rows, IdentitySettings(**settings), decisions or Decided(), folder)


@pytest.fixture(params=IMPLEMENTATIONS, ids=lambda ask: ask.__name__)
def persons(request: pytest.FixtureRequest, tmp_path: Path) -> Asked:
    return Asked(request.param, tmp_path)


START = datetime(2024, 3, 1)


def on(day: float, message: str, name: str = "Page Viewed", **fields: Any) -> dict[str, Any]:
    return event(START + timedelta(days=day), name, message_id=message, **fields)


def minutes(minute: float, message: str, name: str = "Page Viewed", **fields: Any) -> dict[str, Any]:
    return on(minute / 1440, message, name, **fields)


def many(n: int, message: str, **fields: Any) -> list[dict[str, Any]]:
    return [on(number / 24, f"{message}-{number}", **fields) for number in range(n)]


def who(found: Persons, *messages: str) -> list[Hashable]:
    return [found[message][0] for message in messages]


def same(found: Persons, *messages: str) -> bool:
    people = who(found, *messages)
    return None not in people and len(set(people)) == 1


def apart(found: Persons, *messages: str) -> bool:
    people = who(found, *messages)
    return None not in people and len(set(people)) == len(people)


def rules(found: Persons, *messages: str) -> list[str]:
    return [found[message][1] for message in messages]


def user(value: str) -> Identifier:
    return Identifier("user_id", "shop", value)


def mail(value: str) -> Identifier:
    return Identifier("email", "", value)


ANNA, BRUNO, CARLA = "anna@posta.example", "bruno@posta.example", "carla@posta.example"
PHONE, OTHER_PHONE = "347 1234567", "347 7654321"


# ------------------------------------------------------------------------------------ strong identifiers


def test_identifiers_on_one_event_join_and_chains_join(persons: Asked) -> None:
    found = persons(
        [
            on(0, "web", user_id="u1", email=ANNA),
            on(1, "till", loyalty_id="lc 7", source="till", source_kind="pos"),
            on(2, "mail", email=" Anna@Posta.Example", source="news", source_kind="email"),
            on(3, "card", email=ANNA, loyalty_id="LC7", source="crm", source_kind="crm"),
        ]
    )
    assert same(found, "web", "till", "mail", "card")
    assert set(rules(found, "web", "till", "mail", "card")) == {"strong"}


def test_without_the_record_that_joins_they_are_two(persons: Asked) -> None:
    rows = [on(0, "mail", email=ANNA), on(1, "till", loyalty_id="LC7", source="till", source_kind="pos")]
    assert apart(persons(rows), "mail", "till")
    joined = [*rows, on(2, "card", email=ANNA, loyalty_id="LC7")]
    assert same(persons(joined), "mail", "till", "card")


def test_a_number_of_the_till_is_not_a_number_of_the_web_shop(persons: Asked) -> None:
    found = persons(
        [
            on(0, "web", user_id="1042"),
            on(1, "till", user_id="1042", id_space="till", source="till", source_kind="pos"),
            on(2, "e-web", user_id="7", email=ANNA),
            on(3, "e-till", email=ANNA, id_space="till", source="till", source_kind="pos"),
        ]
    )
    assert apart(found, "web", "till")
    assert same(found, "e-web", "e-till")


def test_blocked_and_malformed_values_join_nobody_and_their_events_stay(persons: Asked) -> None:
    found = persons(
        [
            on(0, "guest", user_id="Guest", email=ANNA),
            on(1, "null", user_id="guest", email=BRUNO),
            on(2, "wrong", email="not an address", anonymous_id="a1"),
            on(3, "nobody", phone="0000000"),
            on(4, "ours", user_id="cassa", email=CARLA),
        ],
        blocked_values=("Cassa",),
    )
    assert apart(found, "guest", "null", "wrong", "ours")
    assert rules(found, "wrong", "nobody") == ["anonymous", "unidentified"]


def test_one_order_with_another_s_address_moves_no_address(persons: Asked) -> None:
    found = persons(
        [
            *many(100, "own", user_id="u1", email=ANNA),
            on(5, "gift", user_id="u2", email=ANNA),
            on(6, "later", email=ANNA),
            on(7, "giver", user_id="u2"),
        ]
    )
    assert same(found, "own-0", "own-99", "later")
    assert same(found, "gift", "giver")
    assert apart(found, "later", "giver")


def test_a_phone_of_two_accounts_is_shared_and_joins_nobody(persons: Asked) -> None:
    found = persons(
        [
            *many(10, "u1", user_id="u1", phone=PHONE),
            *many(9, "u2", user_id="u2", phone=PHONE),
            on(5, "e3", email=CARLA, phone=PHONE),
            on(6, "e3-alone", email=CARLA),
        ]
    )
    assert apart(found, "u1-0", "u2-0", "e3")
    assert same(found, "e3", "e3-alone")


def test_an_agent_s_address_on_every_ticket_is_no_customer(persons: Asked) -> None:
    tickets = [
        on(number / 24, f"t{number}", user_id=f"u{number}", email="agent@shop.example", source_kind="support")
        for number in range(500)
    ]
    web = [
        on(number / 24, f"w{number}", user_id=f"u{number}", email=f"c{number}@posta.example") for number in range(500)
    ]
    found = persons([*tickets, *web])
    assert len({found[f"t{number}"][0] for number in range(500)}) == 500
    assert all(same(found, f"t{number}", f"w{number}") for number in range(500))


def test_a_till_s_account_on_every_receipt_is_no_customer(persons: Asked) -> None:
    receipts = [
        on(number / 24, f"r{number}", user_id="cassa-1", email=f"c{number}@posta.example", source_kind="pos")
        for number in range(500)
    ]
    web = [on(30, f"w{number}", email=f"c{number}@posta.example") for number in range(500)]
    found = persons([*receipts, *web])
    assert len({found[f"r{number}"][0] for number in range(500)}) == 500
    assert all(same(found, f"r{number}", f"w{number}") for number in range(500))


def test_twenty_partners_are_no_hub_and_one_more_is(persons: Asked) -> None:
    def tickets(n: int) -> list[dict[str, Any]]:
        return [on(number, f"t{number}", loyalty_id=f"L{number}", phone=PHONE) for number in range(n)]

    last = on(90, "alone", phone=PHONE)
    assert same(persons([*tickets(2), last]), "t0", "t1", "alone")
    # A hub leaves before anybody is joined: it takes no two cards together. Its own events go by logins.
    found = persons([*tickets(21), last])
    assert apart(found, *(f"t{number}" for number in range(21)))
    assert rules(found, "alone") == ["login_before"]


def test_a_family_s_phone(persons: Asked) -> None:
    rows = [
        *many(5, "anna", user_id="u1", phone=PHONE),
        *many(5, "bruno", user_id="u2", phone=PHONE),
        on(10, "call", phone=PHONE, source="calls", source_kind="support"),
        on(11, "bruno-again", user_id="u2", phone=PHONE),
        on(12, "second call", phone=PHONE, source="calls", source_kind="support"),
    ]
    found = persons(rows)
    assert apart(found, "anna-0", "bruno-0")
    # Both used the number last on the same day: the later of them in the total order is asked.
    assert same(found, "bruno-again", "second call", "call")
    assert rules(found, "call", "second call") == ["login_before"] * 2


def test_two_addresses_with_one_phone_are_one_customer_until_told_otherwise(persons: Asked) -> None:
    rows = [on(0, "anna", email=ANNA, phone=PHONE), on(1, "bruno", email=BRUNO, phone=PHONE)]
    assert same(persons(rows), "anna", "bruno")
    assert apart(persons(rows, Decided(forbidden=((mail(ANNA), mail(BRUNO)),))), "anna", "bruno")


def test_two_people_with_swapped_phones(persons: Asked) -> None:
    found = persons(
        [
            *many(10, "anna", user_id="u1", phone=PHONE),
            *many(10, "bruno", user_id="u2", phone=OTHER_PHONE),
            on(20, "swap-1", user_id="u1", phone=OTHER_PHONE),
            on(20, "swap-2", user_id="u2", phone=PHONE),
            on(21, "call-1", phone=PHONE),
            on(21, "call-2", phone=OTHER_PHONE),
        ]
    )
    assert same(found, "anna-0", "swap-1", "call-1")
    assert same(found, "bruno-0", "swap-2", "call-2")
    assert apart(found, "call-1", "call-2")


def test_a_user_id_that_was_given_again_is_one_customer(persons: Asked) -> None:
    # Nothing says that it is another human: identity report lists such ids.
    found = persons(
        [
            *many(5, "old", user_id="u1", email=ANNA),
            *(on(900 + number, f"new-{number}", user_id="u1", email=BRUNO) for number in range(5)),
        ]
    )
    assert same(found, "old-0", "new-0")


def test_own_types_are_weaker_than_the_shipped_ones(persons: Asked) -> None:
    rows = [
        on(0, "web", user_id="u1", other_ids='{"chat_id": "c1"}'),
        on(1, "chat", other_ids='{"chat_id": "c1"}', source="chat", source_kind="support"),
        on(2, "unknown", other_ids='{"something": "c1"}'),
    ]
    found = persons(rows, own_types=("chat_id",))
    assert same(found, "web", "chat")
    assert rules(found, "unknown") == ["unidentified"]


# ---------------------------------------------------------------------------------------------- decisions


def test_a_link_overrides_limits(persons: Asked) -> None:
    rows = [on(0, "old", user_id="u1", email=ANNA), on(1, "new", user_id="u2", email=BRUNO)]
    assert apart(persons(rows), "old", "new")
    assert same(persons(rows, Decided(forced=((user("u1"), user("u2")),))), "old", "new")


def test_accounts_joined_by_a_link_count_as_one(persons: Asked) -> None:
    rows = [
        *many(3, "u1", user_id="u1"),
        *many(3, "u2", user_id="u2"),
        on(5, "both-1", user_id="u1", email=ANNA),
        on(6, "both-2", user_id="u2", email=ANNA),
        on(7, "other", user_id="u3", email=CARLA),
    ]
    found = persons(rows, Decided(forced=((user("u1"), user("u2")),)))
    assert same(found, "u1-0", "u2-0", "both-1", "both-2")
    assert apart(found, "u1-0", "other")


def test_an_unlink_divides_and_shares_nobody(persons: Asked) -> None:
    rows = [*many(4, "both", user_id="u1", email=ANNA), on(5, "u1", user_id="u1"), on(6, "mail", email=ANNA)]
    assert same(persons(rows), "u1", "mail")
    found = persons(rows, Decided(forbidden=((user("u1"), mail(ANNA)),)))
    assert apart(found, "u1", "mail")
    assert rules(found, "u1", "mail") == ["strong", "strong"]
    assert same(found, "u1", "both-0")


def test_a_link_to_what_no_event_carries_waits_for_its_first_event(persons: Asked) -> None:
    rows = [on(0, "a", user_id="u1"), on(1, "b", user_id="u2")]
    decided = Decided(forced=((user("u1"), mail(CARLA)), (user("u2"), mail(CARLA))))
    assert apart(persons(rows, decided), "a", "b")
    assert same(persons([*rows, on(2, "c", email=CARLA)], decided), "a", "b", "c")


def test_an_alias_of_the_server_joins_two_accounts(persons: Asked) -> None:
    rows = [
        on(0, "old", user_id="u1"),
        on(1, "new", user_id="u2"),
        on(2, "alias", type="alias", user_id="u2", previous_id="u1", source="backend", source_kind="server"),
    ]
    assert same(persons(rows), "old", "new", "alias")
    # A decision by hand goes first.
    found = persons(rows, Decided(forbidden=((user("u1"), user("u2")),)))
    assert apart(found, "old", "new")
    assert same(found, "new", "alias")


def test_an_alias_of_a_browser_moves_nobody_s_address(persons: Asked) -> None:
    found = persons(
        [
            *many(9, "victim", user_id="u1", email=ANNA),
            *many(4, "caller", user_id="u2", email=BRUNO),
            on(5, "alias", type="alias", user_id="u2", previous_id="u1"),
            on(6, "mail-1", email=ANNA),
            on(6, "mail-2", email=BRUNO),
        ]
    )
    assert same(found, "victim-0", "mail-1")
    assert apart(found, "mail-1", "mail-2")


def test_an_alias_of_a_browser_takes_no_account_over(persons: Asked) -> None:
    found = persons(
        [
            *many(9, "caller", user_id="u1"),
            *many(2, "victim", user_id="u2"),
            on(5, "alias", type="alias", user_id="u1", previous_id="u2", anonymous_id="a1"),
            on(6, "later", user_id="u2", anonymous_id="a1"),
        ]
    )
    assert same(found, "victim-0", "victim-1", "later")
    assert apart(found, "victim-0", "caller-0")
    assert same(found, "caller-0", "alias")


# ------------------------------------------------------------------------------------------ weak identifiers


def test_the_guest_who_signs_in(persons: Asked) -> None:
    found = persons(
        [
            on(0, "too early", anonymous_id="a1"),
            on(10, "early", anonymous_id="a1"),
            on(100, "order", anonymous_id="a1", email=ANNA),
            on(101, "after", anonymous_id="a1"),
        ]
    )
    assert same(found, "early", "order", "after")
    assert rules(found, "too early", "early", "order", "after") == [
        "anonymous",
        "login_after",
        "strong",
        "login_before",
    ]


def test_cleared_cookies(persons: Asked) -> None:
    found = persons(
        [
            on(0, "first", anonymous_id="a1"),
            on(1, "login-1", anonymous_id="a1", user_id="u1"),
            on(2, "second", anonymous_id="a2"),
            on(3, "login-2", anonymous_id="a2", user_id="u1"),
            on(4, "third", anonymous_id="a3"),
        ]
    )
    assert same(found, "first", "second", "login-1", "login-2")
    assert apart(found, "first", "third")
    assert rules(found, "third") == ["anonymous"]


@pytest.mark.parametrize("next_one", ["anna", "bruno", None])
def test_a_tablet_with_a_sign_out(persons: Asked, next_one: str | None) -> None:
    at = {"anonymous_id": "tablet"}
    rows = [
        minutes(0, "in", "Signed In", **at, user_id="anna"),
        minutes(1, "look", **at),
        minutes(2, "out", "Signed Out", **at),
        minutes(9, "out again", "Signed Out", **at),
        minutes(10, "between", **at),
    ]
    if next_one:
        rows.append(minutes(20, "next", "Signed In", **at, user_id=next_one))
    found = persons(rows)
    assert same(found, "in", "look", "out")
    if next_one == "anna":
        assert same(found, "in", "between")
        assert rules(found, "between") == ["signed_out_same"]
    else:
        assert apart(found, "in", "between", *(["next"] if next_one else []))
        assert rules(found, "between") == ["signed_out"]
        assert same(found, "between", "out again")


def test_a_sign_out_before_any_login_ends_nothing(persons: Asked) -> None:
    """Whoever signed out was never seen to sign in: what came before the first login is that login's, as ever."""
    at = {"anonymous_id": "tablet"}
    found = persons(
        [
            minutes(0, "before", **at),
            minutes(1, "out", "Signed Out", **at),
            minutes(2, "between", **at),
            minutes(9, "in", "Signed In", **at, user_id="anna"),
        ]
    )
    assert same(found, "before", "out", "between", "in")
    assert rules(found, "before", "out", "between") == ["login_after"] * 3


def test_a_sign_out_of_somebody_else_does_not_bound_what_a_first_login_takes(persons: Asked) -> None:
    """A sign-out that names somebody is that person's event, and no login: the device had none before Anna's."""
    at = {"anonymous_id": "tablet"}
    found = persons(
        [
            on(0, "before", **at),
            on(1, "out", "Signed Out", **at, user_id="bruno"),
            on(2, "between", **at),
            on(80, "in", "Signed In", **at, user_id="anna"),
        ]
    )
    assert same(found, "before", "between", "in")
    assert apart(found, "out", "in")
    assert rules(found, "before", "out", "between") == ["login_after", "strong", "login_after"]


def test_a_hub_seen_alone_goes_to_its_last_login(persons: Asked) -> None:
    """The agent's own address on no ticket: whoever it last stood beside, like a browser."""
    rows = many(22, "ticket", email="agent@shop.example")
    rows = [{**row, "user_id": f"u{number}"} for number, row in enumerate(rows)]
    found = persons([*rows, on(2, "alone", email="agent@shop.example")])
    assert same(found, "alone", "ticket-21")
    assert apart(found, "ticket-20", "ticket-21")
    assert rules(found, "alone") == ["login_before"]


def test_signing_out_under_another_name_ends_the_login_too(persons: Asked) -> None:
    found = persons(
        [
            minutes(0, "in", anonymous_id="a1", user_id="anna"),
            minutes(1, "out", "Logout", anonymous_id="a1", user_id="anna"),
            minutes(2, "after", anonymous_id="a1"),
        ]
    )
    assert rules(found, "out", "after") == ["strong", "signed_out"]


def test_a_tablet_without_a_sign_out(persons: Asked) -> None:
    at = {"anonymous_id": "tablet"}
    found = persons(
        [
            minutes(0, "in", **at, user_id="anna"),
            minutes(5, "between", **at),
            minutes(9, "next", **at, user_id="bruno"),
            minutes(10, "end", **at),
        ]
    )
    assert same(found, "in", "between")
    assert same(found, "next", "end")
    assert apart(found, "in", "next")


def test_a_device_that_knows_the_login_goes_before_a_cookie_that_does_not(persons: Asked) -> None:
    found = persons(
        [
            on(0, "login", device_id="d1", user_id="u1"),
            on(1, "fresh", anonymous_id="a9", device_id="d1"),
            on(2, "alone", anonymous_id="a9"),
        ]
    )
    assert same(found, "login", "fresh")
    assert rules(found, "alone") == ["anonymous"]


# ----------------------------------------------------------------------------------------- shared sources


def test_each_visit_to_a_kiosk_is_a_visitor_of_its_own(persons: Asked) -> None:
    at = {"anonymous_id": "kiosk", "source": "totem"}
    rows = [
        minutes(0, "one", **at),
        minutes(30, "one more", **at),
        minutes(61, "two", **at),
        minutes(62, "two in", **at, user_id="anna"),
        minutes(63, "two after", **at),
        minutes(100, "three", **at),
    ]
    found = persons(rows, shared_sources=("totem",))
    assert rules(found, "one", "two", "two after", "three") == [
        "shared_session",
        "login_after",
        "login_before",
        "shared_session",
    ]
    assert same(found, "one", "one more")
    assert same(found, "two", "two in", "two after")
    assert apart(found, "one", "two", "three")
    # The same device, not marked: one login claims what came before it and after it.
    assert same(persons(rows), *(row["message_id"] for row in rows))


def test_a_sign_out_at_a_kiosk(persons: Asked) -> None:
    at = {"anonymous_id": "kiosk", "source": "totem"}
    rows = [
        minutes(0, "in", **at, user_id="anna"),
        minutes(1, "out", "Signed Out", **at),
        minutes(2, "next", **at),
        minutes(3, "bruno", **at, user_id="bruno"),
    ]
    found = persons(rows, shared_sources=("totem",))
    assert same(found, "in", "out")
    assert apart(found, "in", "next", "bruno")
    assert rules(found, "next") == ["signed_out"]


def test_a_shared_till_has_a_session_a_receipt(persons: Asked) -> None:
    at = {"device_id": "till-4", "source": "tills", "source_kind": "pos"}
    rows = [
        minutes(0, "r1", **at),
        minutes(1, "r2", **at, loyalty_id="L1"),
        minutes(2, "r3", **at),
    ]
    found = persons(rows, shared_sources=("tills",))
    assert apart(found, "r1", "r2", "r3")
    assert rules(found, "r1", "r2", "r3") == ["shared_session", "strong", "shared_session"]


# ------------------------------------------------------------------------------------------ reference keys


def test_what_carries_only_an_order_number_reaches_the_buyer(persons: Asked) -> None:
    courier = {"source": "courier", "source_kind": "delivery"}
    desk = {"source": "desk", "source_kind": "support"}
    found = persons(
        [
            on(0, "seen", anonymous_id="a1", order_id="1"),
            on(1, "order", user_id="u1", order_id=" 1"),
            on(2, "shipped", order_id="1", **courier),
            on(3, "return", order_id="1", return_id="R1", user_id="u1"),
            on(9, "received", return_id="R1", **courier),
            on(10, "ticket", ticket_id="T1", email=ANNA, **desk),
            on(11, "answer", ticket_id="T1", **desk),
            on(12, "elsewhere", order_id="1", ref_space="marketplace", **courier),
            on(13, "both", order_id="1", ticket_id="T1", **desk),
        ]
    )
    assert same(found, "order", "shipped", "received", "both")
    assert same(found, "ticket", "answer")
    assert rules(found, "shipped", "received", "answer", "elsewhere") == ["reference"] * 3 + ["unidentified"]


def test_an_order_number_joins_nobody(persons: Asked) -> None:
    found = persons([on(0, "a", user_id="u1", order_id="1"), on(1, "b", user_id="u2", order_id="1")])
    assert apart(found, "a", "b")


def test_the_owner_may_come_late_or_be_anonymous(persons: Asked) -> None:
    delivered = on(5, "delivered", order_id="1", source="courier", source_kind="delivery")
    visitor = on(4, "visitor", order_id="1", anonymous_id="a1")
    buyer = on(9, "buyer", order_id="1", email=ANNA)
    assert persons([delivered])["delivered"] == (None, "unidentified")
    assert same(persons([delivered, visitor]), "delivered", "visitor")
    assert same(persons([delivered, visitor, buyer]), "delivered", "buyer")


def test_a_coupon_places_only_if_it_is_given_once(persons: Asked) -> None:
    rows = [
        on(0, "mail", email=ANNA, coupon="GRAZIE-4711"),
        on(1, "receipt", coupon="GRAZIE-4711", source="till", source_kind="pos"),
        on(2, "poster", email=BRUNO, coupon="SALDI"),
        on(3, "other receipt", coupon="SALDI", source="till", source_kind="pos"),
    ]
    found = persons(rows, single_use_coupons=("grazie-[0-9]+",))
    assert same(found, "mail", "receipt")
    assert rules(found, "receipt", "other receipt") == ["reference", "unidentified"]
    assert rules(persons(rows), "receipt") == ["unidentified"]


def test_a_cash_receipt_is_nobody_s(persons: Asked) -> None:
    found = persons([on(0, "cash", "Order Completed", order_id="9", source="till", source_kind="pos")])
    assert found["cash"] == (None, "unidentified")


# ---------------------------------------------------------------------------------------------- any order


def everything() -> list[dict[str, Any]]:
    """A little of all."""
    at = {"anonymous_id": "kiosk", "source": "totem"}
    return [
        on(0, "a1", anonymous_id="a1"),
        on(1, "a2", anonymous_id="a1", user_id="u1", email=ANNA),
        on(1, "a3", "Signed Out", anonymous_id="a1"),
        on(2, "a4", anonymous_id="a1"),
        *many(3, "p1", user_id="u1", phone=PHONE),
        *many(3, "p2", user_id="u2", phone=PHONE),
        on(9, "p3", phone=PHONE, order_id="1"),
        on(10, "d", order_id="1"),
        minutes(0, "k1", **at),
        minutes(99, "k2", **at),
    ]


@pytest.mark.parametrize("seed", range(4))
def test_persons_do_not_depend_on_the_order_or_on_repetition(persons: Asked, seed: int) -> None:
    rows = everything()
    shuffled = [*rows, *random.Random(seed).sample(rows, 6)]
    random.Random(seed).shuffle(shuffled)
    assert persons(shuffled, shared_sources=("totem",)) == persons(rows, shared_sources=("totem",))


def test_of_conflicting_copies_the_first_received_counts(persons: Asked) -> None:
    soon, late = (
        on(0, "m", user_id=name, received_at=received)
        for name, received in (("u1", "2024-03-01T00:00:00"), ("u2", "2024-03-02T00:00:00"))
    )
    rows = [on(1, "first", user_id="u1"), on(1, "second", user_id="u2")]
    assert same(persons([late, soon, *rows]), "m", "first")


def test_a_wrong_clock_is_set_right_before_logins_are_compared(persons: Asked) -> None:
    def sent(minute: int, message: str, **fields: Any) -> dict[str, Any]:
        """From a device whose clock is an hour slow."""
        real = START.replace(tzinfo=UTC) + timedelta(minutes=minute)
        return minutes(minute - 60, message, sent_at=real - timedelta(hours=1), received_at=real, **fields)

    found = persons(
        [
            minutes(100, "anna", device_id="d1", user_id="u1"),
            sent(130, "slow", anonymous_id="a1", device_id="d1"),
            minutes(140, "bruno", device_id="d1", user_id="u2"),
        ]
    )
    assert same(found, "anna", "slow")


def test_nothing_at_all(persons: Asked) -> None:
    none: Iterable[dict[str, Any]] = []
    assert persons(list(none)) == {}


def test_alias_messages_of_a_hub_join_nobody(persons: Asked) -> None:
    """A till's account has thirty customers' addresses; two servers say that it was two customers' before."""
    rows = [on(number / 24, f"e{number}", user_id="till", email=f"c{number}@posta.example") for number in range(30)]
    rows += [on(30, "one", user_id="u1"), on(30, "two", user_id="u2")]
    rows += [
        on(31, f"was-{user}", type="alias", user_id=user, previous_id="till", source="backend", source_kind="server")
        for user in ("u1", "u2")
    ]
    assert apart(persons(rows), "one", "two")
