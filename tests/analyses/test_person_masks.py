"""Rules of persons against their plain twin, and against the history of one person at a time."""

from __future__ import annotations

import functools
import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from percorso.analyses.basis import Basis, basis_of
from percorso.analyses.customer import PersonRow, history_of
from percorso.analyses.flow import FlowSpec, run_flow
from percorso.analyses.history import History
from percorso.analyses.orders_in import total_orders
from percorso.analyses.person_masks import plan_persons
from percorso.analyses.person_rules import parse_person_rule
from percorso.analyses.relationship import lapse_limits
from percorso.analyses.select import persons_mask, plan_scope, select_events
from percorso.analyses.spec import Scope
from percorso.errors import SpecError
from percorso.money import RateTable, convert
from percorso.services.build import fresh_log
from percorso.services.workspace import Workspace
from percorso.store.journey_log import FLAG_BOT, FLAG_SAME_ORDER, JourneyLog
from percorso.time import day_of
from tests.analyses.path_logs import PathLog, path_logs
from tests.lake_builder import event
from tests.log_builder import DAY, HOUR, Row, build_test_log, person_id
from tests.naive import person_rules as naive
from tests.workspaces import make_workspace

START = 10_000 * DAY  # 1997-05-19


@dataclass(frozen=True)
class Both:
    """A rule as text, and as its twin has it."""

    text: str
    test: naive.Test


CONDITIONS = {
    "event = cart": lambda event: event.fields["event"] == "cart",
    "event in (home, list)": lambda event: event.fields["event"] in ("home", "list"),
    "place = site or event = order": lambda event: event.fields["place"] == "site" or event.fields["event"] == "order",
    "not place is missing": lambda event: event.fields["place"] != "",
    "event = nothing": lambda event: False,
}
SPANS: dict[str, naive.Span | None] = {
    "": None,
    "within 1d": ("within", DAY, 0),
    "within 2h": ("within", 2 * HOUR, 0),
    "over 1d ago": ("over", DAY, 0),
    "over 3h ago": ("over", 3 * HOUR, 0),
    "since 1997-05-20": ("between", START + DAY, 1 << 62),
    "before 1997-05-20": ("between", -(1 << 62), START + DAY),
    "between 1997-05-19 and 1997-05-20": ("between", START, START + 2 * DAY),
}


@st.composite
def single_tests(draw: st.DrawFn) -> Both:
    kind = draw(st.sampled_from(("count", "never", "edge", "sequence", "field", "n_events")))
    text = draw(st.sampled_from(sorted(CONDITIONS)))
    condition, span = CONDITIONS[text], draw(st.sampled_from(sorted(SPANS)))
    op, number = draw(st.sampled_from(sorted(naive.COMPARE))), draw(st.integers(0, 4))
    if kind == "count":
        return Both(f"count({text}) {op} {number} {span}", naive.count(condition, op, number, SPANS[span]))
    if kind == "never":
        return Both(f"never({text}) {span}", naive.count(condition, "=", 0, SPANS[span]))
    if kind == "edge":
        last, due = draw(st.booleans()), draw(st.sampled_from(sorted(SPANS)[1:]))
        found = SPANS[due]
        assert found is not None
        return Both(f"{'last' if last else 'first'}({text}) {due}", naive.edge(last, condition, found))
    if kind == "sequence":
        steps = draw(st.lists(st.sampled_from(sorted(CONDITIONS)), min_size=2, max_size=3))
        limit = draw(st.sampled_from(("", "within 1h", "within 1d")))
        within = {"": float("inf"), "within 1h": HOUR, "within 1d": DAY}[limit]
        twin = naive.sequence([CONDITIONS[step] for step in steps], within, SPANS[span])
        return Both(f"sequence({' then '.join(steps)} {limit}) {span}", twin)
    if kind == "field":
        return Both("person.country = IT", naive.person_field("country", "IT"))
    return Both(f"n_events {'=' if op == '!=' else op} {number}", naive.n_events("=" if op == "!=" else op, number))


def rules() -> st.SearchStrategy[Both]:
    def joined(inner: st.SearchStrategy[Both]) -> st.SearchStrategy[Both]:
        return st.one_of(
            inner.map(lambda a: Both(f"not ({a.text})", naive.negated(a.test))),
            st.tuples(inner, inner).map(
                lambda two: Both(f"({two[0].text}) and {two[1].text}", naive.both(two[0].test, two[1].test))
            ),
            st.tuples(inner, inner).map(
                lambda two: Both(f"({two[0].text} or {two[1].text})", naive.either(two[0].test, two[1].test))
            ),
        )

    return st.recursive(single_tests(), joined, max_leaves=4)


def random_history(seed: int) -> list[Row]:
    """Up to five persons with ties in time, robots' events and copies of orders; of seed 0 nobody."""
    rng = random.Random(seed)
    rows = []
    for p in range(rng.randint(1, 5) if seed else 0):
        now = START
        for _ in range(rng.randint(1, 7)):
            now += rng.choice((0, 0, 1, HOUR, 2 * HOUR, DAY))
            rows.append(
                Row(
                    person=f"p{p}",
                    time=now,
                    event=rng.choice(("cart", "home", "list", "order")),
                    coded={"place": rng.choice(("", "site", "store"))},
                    flags=rng.choice((0, 0, 0, 0, FLAG_BOT, FLAG_SAME_ORDER)),
                )
            )
    return rows


@dataclass(frozen=True)
class SmallLog:
    log: JourneyLog
    rows: list[Row]
    countries: dict[str, str]

    @property
    def newest(self) -> int:
        return max((row.time for row in self.rows), default=START)


#: Logs that rules are tried on; the first is empty.
N_SMALL_LOGS = 60


@pytest.fixture(scope="module")
def small_logs(memory: Path) -> Callable[[int], SmallLog]:
    """A small log by its number; each is built once, for a build takes longer than a hundred rules."""

    @functools.cache
    def small_log(number: int) -> SmallLog:
        rows, rng = random_history(number), random.Random(number)
        countries = {f"p{p}": rng.choice(("IT", "DE")) for p in range(6)}
        persons = {name: {"country": country} for name, country in countries.items()}
        log = build_test_log(memory / "small-logs" / str(number), rows, n_buckets=2, persons=persons)
        return SmallLog(log, rows, countries)

    return small_log


def naive_persons(rows: list[Row], countries: dict[str, str], *, bots: bool) -> dict[str, naive.Person]:
    out = FLAG_SAME_ORDER | (0 if bots else FLAG_BOT)
    return {
        name: naive.Person(
            [
                naive.Event(row.time, {"event": row.event, "place": row.coded["place"]}, not row.flags & out)
                for row in sorted(rows, key=lambda row: row.time)
                if row.person == name
            ],
            {"country": countries[name]},
        )
        for name in {row.person for row in rows}
    }


def found(log: JourneyLog, scope: Scope, basis: Basis | None = None) -> set[bytes]:
    plan = plan_scope(scope, log, basis)
    ids = set()
    for bucket in log.buckets:
        mask = persons_mask(plan, bucket)
        assert mask is not None
        assert mask.shape == (bucket.n_persons,)
        column = bucket.persons.arrow("person_id")
        ids |= {column[row].as_py() for row in np.flatnonzero(mask)}
    return ids


@settings(max_examples=250)
@given(
    number=st.integers(0, N_SMALL_LOGS - 1),
    rule=rules(),
    back=st.sampled_from((0, 1, 3 * HOUR, DAY)),
    bots=st.booleans(),
)
def test_as_the_plain_twin(
    small_logs: Callable[[int], SmallLog], number: int, rule: Both, back: int, bots: bool
) -> None:
    small = small_logs(number)
    as_of = small.newest - back
    out = FLAG_SAME_ORDER | (0 if bots else FLAG_BOT)
    plan = plan_persons(parse_person_rule(rule.text), small.log, as_of_us=as_of, out_flags=out, basis=None)
    got = set()
    for bucket in small.log.buckets:
        column = bucket.persons.arrow("person_id")
        got |= {column[row].as_py() for row in np.flatnonzero(plan.persons(bucket))}
    people = naive_persons(small.rows, small.countries, bots=bots)
    expected = {person_id(name) for name, one in people.items() if naive.meets(one, rule.test, as_of)}
    assert got == expected, rule.text


# Each example builds two logs; that rules are right is for the test above, that flows are for their own.
@settings(max_examples=40)
@given(data=path_logs(), bots=st.booleans())
def test_what_a_rule_leaves_is_what_is_left_without_the_others(memory: Path, data: PathLog, bots: bool) -> None:
    """A question about some persons answers as if there were no others."""
    rule = "count(event = cart) >= 1"
    counted = {
        row.person
        for row in data.rows
        if row.event == "cart" and not row.flags & (FLAG_SAME_ORDER | (0 if bots else FLAG_BOT)) and not row.flags & 2
    }
    left = [row for row in data.rows if row.person in counted]
    with TemporaryDirectory(dir=memory) as folder:
        log = build_test_log(Path(folder) / "all", data.rows, journeys=data.journeys, as_of=data.as_of)
        some = build_test_log(
            Path(folder) / "some",
            left,
            journeys=[one for one in data.journeys if one.person in counted],
            as_of=data.as_of,
        )
        spec = FlowSpec(scope=Scope(persons=rule, include_bots=bots, per="journey"))
        whole = FlowSpec(scope=Scope(include_bots=bots, per="journey"))
        assert run_flow(spec, log).table.to_pylist() == run_flow(whole, some).table.to_pylist()


def test_nobody_and_everybody_cost_no_mask(tmp_path: Path) -> None:
    log = build_test_log(tmp_path, [Row(person="p", time=0, event="A")], n_buckets=1)
    plan = plan_scope(Scope(persons="count(event = A) = 1"), log)
    assert plan.is_of_persons
    assert select_events(plan, log.buckets[0]).is_all
    nobody = select_events(plan_scope(Scope(persons="never(event = A)"), log), log.buckets[0])
    assert nobody.mask is not None
    assert not nobody.mask.any()
    assert persons_mask(plan_scope(Scope(), log), log.buckets[0]) is None


def test_the_persons_of_a_rule_are_found_once(tmp_path: Path) -> None:
    log = build_test_log(tmp_path, [Row(person="p", time=0, event="A")], n_buckets=1)
    scope = Scope(persons="count(event = A) >= 1")
    first, second = (persons_mask(plan_scope(scope, log), log.buckets[0]) for _ in range(2))
    assert first is second
    other = persons_mask(plan_scope(Scope(persons=scope.persons, include_bots=True), log), log.buckets[0])
    assert other is not first


# ------------------------------------------------------------------------------------- orders, relationship, stage


NAMES = ("Page Viewed", "Product Viewed", "Product Viewed", "Product Added", "Checkout Started")
AFTER = ("Order Refunded", "Order Cancelled", "Order Delivered", "Product Reviewed", "Order Returned", "Ticket Opened")


def random_shop(n: int, seed: int) -> list[dict[str, Any]]:
    """Histories of four months with orders, refunds, cancellations, deliveries, reviews and questions."""
    rng = random.Random(seed)
    rows = []
    for person in range(n):
        at = datetime(2024, 1, 1) + timedelta(hours=rng.randrange(2000))
        orders: list[str] = []
        for number in range(rng.randrange(1, 14)):
            at += timedelta(minutes=rng.choice((1, 20, 600, 3000, 30_000)))
            who = {"user_id": f"u{person}", "anonymous_id": f"a{person}"}
            if rng.random() < 0.3:
                order: dict[str, Any] = {"order_id": f"o{person}-{number}", "value": rng.randrange(100, 30_000)}
                order["currency"] = rng.choice(("EUR", "EUR", "USD", "JPY"))
                till = {"source": "till", "source_kind": "pos"} if rng.random() < 0.5 else {}
                rows.append(event(at, "Order Completed", **who, **order, **till))
                orders.append(order["order_id"])
            elif orders and rng.random() < 0.5:
                about = {"order_id": rng.choice(orders), "value": rng.randrange(50, 20_000), "currency": "EUR"}
                rows.append(event(at, rng.choice(AFTER), **who, **about, score=5.0))
            else:
                rows.append(event(at, rng.choice(NAMES), **who))
    return rows


@dataclass(frozen=True)
class World:
    """A shop, and the histories of its persons by as-of time, each read once."""

    workspace: Workspace
    log: JourneyLog
    read: dict[int, list[tuple[bytes, History]]] = field(default_factory=dict)

    @property
    def basis(self) -> Basis:
        return basis_of(self.workspace.settings)

    def histories(self, as_of_us: int) -> list[tuple[bytes, History]]:
        """The persons who are there by then."""
        if as_of_us not in self.read:
            rows = [PersonRow(bucket, row) for bucket in self.log.buckets for row in range(bucket.n_persons)]
            every = [(one, history_of(one, self.workspace.settings, as_of_us=as_of_us)) for one in rows]
            self.read[as_of_us] = [(bytes.fromhex(one.person), history) for one, history in every if history.events]
        return self.read[as_of_us]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    workspace = make_workspace(tmp_path_factory.mktemp("world"), random_shop(250, seed=4), timezone="Europe/Rome")
    return World(workspace, fresh_log(workspace))


AS_OF = ["", "2024-02-10", "2024-03-01T12:00", "2024-04-15"]


def relationship(one: History, at_risk_days: int, lost_days: int) -> str:
    """By the definitions, section 5, and limits that hold for all."""
    days = sorted({day_of(order.time_us, "Europe/Rome") for order in one.orders if order.is_live})
    if not days:
        return "prospect"
    since = day_of(one.as_of_us, "Europe/Rome") - days[-1]
    if since > at_risk_days:
        return "lost" if since > lost_days else "at_risk"
    if any(e.signal == "advocate" and one.as_of_us - 365 * DAY < e.time_us for e in one.events):
        return "ambassador"
    return "repeat" if len(days) > 1 else "new"


@pytest.mark.parametrize("as_of", AS_OF)
def test_relationship_is_that_of_the_customer(world: World, as_of: str) -> None:
    log, seen = world.log, set()
    for asked in ("prospect", "new", "repeat", "ambassador", "at_risk", "lost"):
        scope = Scope(persons=f"relationship = {asked}", as_of=as_of, timezone="Europe/Rome")
        as_of_us = plan_scope(scope, log, world.basis).as_of_us
        limits = lapse_limits(log, "Europe/Rome", as_of_us).table.to_pylist()[0]
        days = (limits["at_risk_days"], limits["lost_days"])
        ends = (10**6, 10**6) if None in days else days
        expected = {who for who, one in world.histories(as_of_us) if relationship(one, *ends) == asked}
        assert found(log, scope, world.basis) == expected, asked
        seen |= {asked} if expected else set()
    assert len(seen) >= 3


@pytest.mark.parametrize("as_of", AS_OF)
@pytest.mark.parametrize("stage", ["awareness", "consideration", "conversion", "retention", "advocacy", ""])
def test_stage_is_that_of_the_customer(world: World, as_of: str, stage: str) -> None:
    log, basis = world.log, world.basis
    test = f"stage = {stage}" if stage else "stage is missing"
    scope = Scope(persons=test, as_of=as_of, timezone="Europe/Rome")
    expected = {who for who, one in world.histories(plan_scope(scope, log, basis).as_of_us) if one.stage == stage}
    assert found(log, scope, basis) == expected
    assert expected or stage == "advocacy" or not as_of


@pytest.mark.parametrize("as_of", AS_OF)
@pytest.mark.parametrize(("op", "number"), [(">=", 1), (">", 1), ("=", 2), ("!=", 0), ("<", 1), ("<=", 1)])
def test_orders_are_those_of_the_customer(world: World, as_of: str, op: str, number: int) -> None:
    log = world.log
    scope = Scope(persons=f"orders(place = store) {op} {number} within 60d", as_of=as_of, timezone="Europe/Rome")
    as_of_us = plan_scope(scope, log).as_of_us
    expected = set()
    for who, one in world.histories(as_of_us):
        mine = [o for o in one.orders if o.is_live and o.place == "store" and as_of_us - o.time_us <= 60 * DAY]
        if naive.COMPARE[op](len(mine), number):
            expected.add(who)
    assert found(log, scope) == expected


@pytest.mark.parametrize("as_of", AS_OF)
@pytest.mark.parametrize("limit", ["0", "50", "123.45", "200.005", "400"])
@pytest.mark.parametrize("op", [">=", "<", "=", "!="])
def test_value_is_that_of_the_customer_s_live_orders(world: World, as_of: str, limit: str, op: str) -> None:
    """Two currencies have a rate; yen have none and add nothing."""
    log, basis = world.log, world.basis
    days = {19_700 + day: Decimal("0.9137") for day in range(-200, 300)}
    rates = RateTable({"USD": (tuple(sorted(days)), tuple(days.values()))})
    basis = replace(world.basis, rates=rates)
    scope = Scope(persons=f"value {op} {limit} over 20d ago", as_of=as_of, timezone="Europe/Rome")
    as_of_us = plan_scope(scope, log, basis).as_of_us
    expected = set()
    for who, one in world.histories(as_of_us):
        worth = 0
        for order in one.orders:
            day = (order.time_us + 3_600_000_000) // DAY
            if order.is_live and as_of_us - order.time_us > 20 * DAY and order.value is not None:
                parts = (convert(each, order.currency, day, rates, "EUR") for each in (order.value, order.refunded))
                gross, back = (part or 0 for part in parts)
                worth += max(gross - back, 0)
        if naive.COMPARE[op](worth, Decimal(limit) * 100):
            expected.add(who)
    assert found(log, scope, basis) == expected


@pytest.mark.parametrize("as_of", ["", "2024-02-10"])
def test_numbers_of_persons_count_up_to_the_as_of_time(world: World, as_of: str) -> None:
    log = world.log
    for name, number in (("n_orders", 2), ("n_events", 4), ("n_sessions", 2)):
        scope = Scope(persons=f"{name} >= {number}", as_of=as_of, timezone="Europe/Rome")
        sizes = {
            who: {"n_orders": len(one.orders), "n_events": len(one.events), "n_sessions": one.sessions}
            for who, one in world.histories(plan_scope(scope, log).as_of_us)
        }
        assert found(log, scope) == {who for who, size in sizes.items() if size[name] >= number}


def test_a_rule_about_money_needs_the_workspace(world: World) -> None:
    log = world.log
    for rule in ("value > 3", "relationship = new", "not (stage is missing)"):
        with pytest.raises(SpecError, match="needs the workspace"):
            plan_scope(Scope(persons=rule), log)


def test_who_has_come_only_later_is_not_there_yet(world: World) -> None:
    log = world.log
    scope = Scope(persons="never(event = nothing)", as_of="2024-01-20")
    there = {who for who, _ in world.histories(plan_scope(scope, log).as_of_us)}
    assert found(log, scope) == there
    assert 0 < len(there) < sum(bucket.n_persons for bucket in log.buckets)


def test_receipts_of_nobody_are_out(tmp_path: Path) -> None:
    rows = [
        event("2024-01-01 10:00", "Order Completed", source="till", source_kind="pos", value=500, currency="EUR"),
        event("2024-01-01 11:00", "Order Completed", user_id="u", value=700, currency="EUR", order_id="o"),
    ]
    log = fresh_log(make_workspace(tmp_path, rows))
    plan = plan_scope(Scope(persons="n_events >= 0"), log)
    assert log.unidentified.n_events == 1
    nobody = select_events(plan, log.unidentified)
    assert nobody.mask is not None
    assert not nobody.mask.any()
    assert [total.orders for total in total_orders(plan, log, Basis())] == [1, 0]
    assert [total.orders for total in total_orders(plan_scope(Scope(), log), log, Basis())] == [1, 1]
