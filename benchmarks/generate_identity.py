"""Events of an invented shop with many channels, for who is one person; the same rows for the same seed:

    python -m benchmarks.generate_identity FOLDER --events 1000000 [--persons N]

writes for each source SOURCE.parquet with the first 99 % of the year, SOURCE_new.parquet with the rest, and
SOURCE.toml, its mapping; and a few files of 100 rows, small_1.parquet and so on, of the web's last rows.

=========  ==============================================================================================
source     what its rows carry
=========  ==============================================================================================
web        a browser's id; after a login the account, too, and on the login itself the e-mail address
app        a device's id and, in most visits, the account
shop       orders with account, e-mail, phone and order number; changes of account with the loyalty card
till       receipts: a loyalty card, sometimes an e-mail address; two in five carry nothing but a number
delivery   order numbers alone
mail       e-mail addresses alone
=========  ==============================================================================================

2 % of phones are a family's, 3 % of browsers a household's, 2 % of customers have a second account. Agents
who order for others leave their own address, and cashiers swipe the till's own card: these are hubs.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from benchmarks.generate import (
    BLOCK_EVENTS,
    HOST,
    NAMES,
    START_US,
    YEAR_US,
    Ints,
    Visits,
    campaign_queries,
    chain_paths,
    draw_visits,
    event_times,
    numbered,
    origin_column,
    page_paths,
    referrers,
    uuids,
)

__all__ = ["SMALL_FILES", "SMALL_ROWS", "SOURCES", "main", "source_tables", "write_sources"]

#: Shares of all events, in 100; the web has what is left.
SHARES = {"app": 12, "shop": 8, "till": 7, "delivery": 6, "mail": 7}
SOURCES = ("web", *SHARES)

#: From here on rows go to the new files.
NEW_US = START_US + YEAR_US // 100 * 99
SMALL_FILES, SMALL_ROWS = 5, 100

#: How unevenly people come: the share of visits that the most active tenth makes is 0.1 ** (1 / SKEW), here 22 %.
SKEW = 1.5
#: People, by hash of their number: who has what.
ACCOUNT, SECOND_ACCOUNT, CARD, APP, FAMILY_PHONE, FAMILY_TABLET = 0.5, 0.02, 0.3, 0.2, 0.02, 0.03
#: Rows, by chance: what stands on them.
KNOWN_VISIT, KNOWN_IN_APP, SIGN_OUT, AGENT, TILL_CARD, CARD_SHOWN = 0.4, 0.8, 0.1, 0.005, 0.01, 0.6

_SIGNED_IN, _SIGNED_OUT = len(NAMES), len(NAMES) + 1
_EVERY_NAME = (*NAMES, "Signed In", "Signed Out")
_ORDER = NAMES.index("Order Completed")
_DAY_US = 86_400_000_000
_NUMBERS_A_BLOCK = 1_000_000

Bools = npt.NDArray[np.bool_]

_MAPPING = """\
source = "{source}"
kind = "{kind}"
event = {{ column = "event" }}
timestamp = {{ column = "timestamp", format = "iso" }}

[spaces]
id_space = "customers"
ref_space = "{ref_space}"

[columns]
{columns}
"""
_KINDS = {"web": "web", "app": "app", "shop": "server", "till": "pos", "delivery": "delivery", "mail": "email"}


def source_tables(events: int, persons: int, seed: int = 11) -> Iterator[dict[str, pa.Table]]:
    """Tables of all sources, `BLOCK_EVENTS` events at a time; nearly in time order, each sorted by time."""
    paths = chain_paths(np.random.default_rng(seed))
    blocks = -(-events // BLOCK_EVENTS)
    for block in range(blocks):
        rng = np.random.default_rng([seed, block])
        wanted = min(BLOCK_EVENTS, events - block * BLOCK_EVENTS)
        span_us = YEAR_US // blocks
        yield _Block(rng, paths, wanted, persons, block, START_US + block * span_us, span_us).tables()


@dataclass(frozen=True, slots=True)
class _Orders:
    """Orders of a block: who, when, and their numbers."""

    person: Ints
    time: Ints
    number: Ints


@dataclass(frozen=True, slots=True)
class _Block:
    """Some days of the year."""

    rng: np.random.Generator
    paths: list[Ints]
    events: int
    persons: int
    number: int
    begin_us: int
    span_us: int

    def tables(self) -> dict[str, pa.Table]:
        sizes = {source: self.events * share // 100 for source, share in SHARES.items()}
        web, web_orders = self._web(self.events - sum(sizes.values()))
        orders = self._orders(sizes["shop"], web_orders)
        found = {
            "web": web,
            "app": self._app(sizes["app"]),
            "shop": self._shop(orders),
            "till": self._till(sizes["till"]),
            "delivery": self._delivery(sizes["delivery"], orders),
            "mail": self._mail(sizes["mail"]),
        }
        return {source: table.sort_by("timestamp") for source, table in found.items()}

    def _visits(self, events: int) -> Visits:
        return draw_visits(self.rng, self.paths, events, self.persons, self.begin_us, self.span_us, skew=SKEW)

    def _people(self, n: int, share: float = 1.0, salt: int = 0) -> Ints:
        """People by how active they are; with `share`, those of them alone who have something."""
        drawn = (self.persons * self.rng.random(int(n / share * 1.2) + 100) ** SKEW).astype(np.int64)
        return drawn[_luck(drawn, salt) < share][:n] if share < 1 else drawn[:n]

    def _moments(self, n: int) -> Ints:
        return self.begin_us + self.rng.integers(0, self.span_us, n)

    def _web(self, events: int) -> tuple[pa.Table, _Orders]:
        visits = self._visits(events)
        times = event_times(visits, self.rng)
        person = visits.person[visits.of_event]
        knows = (_luck(visits.begin_us + visits.person, 1) < KNOWN_VISIT) & (_luck(visits.person, 2) < ACCOUNT)
        known = knows[visits.of_event] & (visits.place > 0)
        last = np.append(visits.of_event[1:] != visits.of_event[:-1], True)
        leaves = (_luck(visits.begin_us, 3) < SIGN_OUT)[visits.of_event]
        code = np.where(known & (visits.place == 1), _SIGNED_IN, visits.code)
        code = np.where(known & last & leaves & (visits.place > 1), _SIGNED_OUT, code)
        is_order = code == _ORDER
        orders = _Orders(person[is_order], times[is_order] + 2_000_000, self._numbers(int(is_order.sum())))
        order = np.full(len(code), -1, np.int64)
        order[is_order] = orders.number
        signs_in = code == _SIGNED_IN
        everywhere = {
            "message_id": uuids(self.rng, len(code)),
            "type": pc.if_else(pa.array(signs_in), "identify", "track"),
            **_named(code, times),
            "anonymous_id": numbered("b-", _browser(visits)[visits.of_event], np.zeros(len(code), np.bool_)),
            "user_id": _users(person, known, visits.begin_us[visits.of_event]),
            "email": _mails(person, signs_in),
            "order_id": numbered("o", order, order < 0),
        }
        return pa.table(everywhere | self._pages(visits, code)), orders

    def _pages(self, visits: Visits, code: Ints) -> dict[str, pa.Array]:
        """Addresses and campaigns, as the channel rules have to read them."""
        landing = visits.place == 0
        origin = np.where(landing, visits.origin[visits.of_event], 0)
        product = (20_000 * self.rng.random(len(code)) ** 3).astype(np.int64)
        page = page_paths(np.where(code < len(NAMES), code, 0), product)
        query = campaign_queries(origin)
        joined = pc.if_else(pc.match_substring(page, "?"), pc.replace_substring(query, "?", "&"), query)
        return {
            "url": pc.binary_join_element_wise(HOST, page, joined, ""),
            "referrer": referrers(origin, landing),
            **{name: origin_column(at, origin) for at, name in enumerate(("utm_source", "utm_medium", "utm_campaign"))},
            **self._amounts(np.isin(code, (_ORDER, NAMES.index("Product Added")))),
        }

    def _amounts(self, there: Bools) -> dict[str, pa.Array]:
        value = np.round(5 + 200 * self.rng.random(len(there)) ** 2, 2)
        currency = pc.if_else(pa.array(there), "EUR", pa.scalar(None, pa.string()))
        return {"value": pa.array(value, mask=~there), "currency": currency}

    def _numbers(self, n: int) -> Ints:
        return self.number * _NUMBERS_A_BLOCK + np.arange(n)

    def _app(self, events: int) -> pa.Table:
        visits = self._visits(events)
        of_event, owners = visits.of_event, self._people(len(visits.person), APP, 4)
        visitor = np.resize(owners, len(visits.person))
        knows = (_luck(visits.begin_us, 5) < KNOWN_IN_APP) & (_luck(visitor, 2) < ACCOUNT)
        person, no_order = visitor[of_event], np.where(visits.code == _ORDER, 0, visits.code)
        return pa.table(
            {
                "message_id": uuids(self.rng, len(of_event)),
                **_named(no_order, event_times(visits, self.rng)),
                "device_id": numbered("d-", person, np.zeros(len(person), np.bool_)),
                "user_id": _users(person, knows[of_event], visits.begin_us[of_event]),
                "product_id": numbered("p", (20_000 * self.rng.random(len(person)) ** 3).astype(np.int64), person < 0),
            }
        )

    def _orders(self, n: int, web: _Orders) -> _Orders:
        """The web's orders as the shop system tells them, and those by app and telephone."""
        more = max(0, n - len(web.person))
        return _Orders(
            np.concatenate([web.person, self._people(more)])[:n],
            np.concatenate([web.time, self._moments(more)])[:n],
            self._numbers(n),
        )

    def _shop(self, orders: _Orders) -> pa.Table:
        n, person = len(orders.person), orders.person
        has_account = _luck(person, 2) < ACCOUNT
        changes = has_account & (_luck(person, 6) < CARD) & (self.rng.random(n) < 0.2)
        by_agent = self.rng.random(n) < AGENT
        agent = numbered("agent", orders.number % (1 + self.persons // 100_000), np.zeros(n, np.bool_))
        agent = pc.binary_join_element_wise(agent, "shop.example", "@")
        return pa.table(
            {
                "type": pc.if_else(pa.array(changes), "identify", "track"),
                "event": pc.if_else(pa.array(changes), "Account Updated", "Order Completed"),
                "timestamp": _utc(orders.time),
                "user_id": _users(person, has_account, orders.number),
                "loyalty_id": numbered("L", person, ~changes),
                "email": pc.if_else(pa.array(by_agent), agent, _mails(person, np.ones(n, np.bool_))),
                "phone": _phones(person, self.rng.random(n) < 0.7),
                "order_id": numbered("o", orders.number, changes),
                **self._amounts(~changes),
            }
        )

    def _till(self, n: int) -> pa.Table:
        person = self._people(n, CARD, 6)
        n = len(person)
        tills, shown = self.rng.random(n) < TILL_CARD, self.rng.random(n) < CARD_SHOWN
        card = numbered("L", person, ~shown)
        of_till = numbered("LTILL", self._numbers(n) % (1 + self.persons // 100_000), ~tills)
        return pa.table(
            {
                "event": pa.array(["Order Completed"] * n),
                "timestamp": _utc(self._moments(n)),
                "loyalty_id": pc.if_else(pa.array(tills), of_till, card),
                "email": _mails(person, tills | (shown & (self.rng.random(n) < 0.1))),
                "order_id": numbered("t", self._numbers(n), np.zeros(n, np.bool_)),
                **self._amounts(np.ones(n, np.bool_)),
            }
        )

    def _delivery(self, n: int, orders: _Orders) -> pa.Table:
        """Two messages on each of the first orders."""
        at, delivered = np.arange(n) // 2, np.arange(n) % 2 == 1
        delay = np.where(delivered, 3 * _DAY_US, _DAY_US) + self.rng.integers(0, _DAY_US, n)
        return pa.table(
            {
                "event": pc.if_else(pa.array(delivered), "Order Delivered", "Order Shipped"),
                "timestamp": _utc(orders.time[at] + delay),
                "order_id": numbered("o", orders.number[at], np.zeros(n, np.bool_)),
            }
        )

    def _mail(self, n: int) -> pa.Table:
        """Newsletters reach everybody alike, with an account or without."""
        person = self.rng.integers(0, self.persons, n)
        person = person[_luck(person, 2) < ACCOUNT + 0.1]
        person = np.resize(person, n)
        names = pa.array(("Email Delivered", "Email Opened", "Email Link Clicked"))
        return pa.table(
            {
                "message_id": uuids(self.rng, n),
                "event": names.take(pa.array(self.rng.choice(3, n, p=(0.7, 0.25, 0.05)))),
                "timestamp": _utc(self._moments(n)),
                "email": _mails(person, np.ones(n, np.bool_)),
                "utm_campaign": numbered("weekly-", person % 52, np.zeros(n, np.bool_)),
            }
        )


def _luck(numbers: Ints, salt: int) -> npt.NDArray[np.float64]:
    """A number in [0, 1) for each number, always the same."""
    mixed = numbers.astype(np.uint64) + np.uint64((salt + 1) * 0x9E3779B97F4A7C15 % 2**64)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
    return (mixed >> np.uint64(11)).astype(np.float64) * 2.0**-53


def _browser(visits: Visits) -> Ints:
    """One to three browsers a person; a household's tablet in place of one's first."""
    luck = _luck(visits.person, 7)
    several = 1 + (luck > 0.6).astype(np.int64) + (luck > 0.9)
    which = (_luck(visits.begin_us, 8) * several).astype(np.int64)
    pair = visits.person & ~np.int64(1)
    owner = np.where((which == 0) & (_luck(pair, 9) < FAMILY_TABLET), pair, visits.person)
    return owner * 3 + which


def _users(person: Ints, there: Bools, occasion: Ints) -> pa.Array:
    """Accounts; of those who have two, the second on three occasions of ten."""
    second = (_luck(person, 10) < SECOND_ACCOUNT) & (_luck(occasion, 11) < 0.3)
    return numbered("c", np.where(second, -person - 1, person) + 10_000_000, ~there)


def _mails(person: Ints, there: Bools) -> pa.Array:
    return pc.binary_join_element_wise(numbered("person", person, ~there), "mail.example", "@")


def _phones(person: Ints, there: Bools) -> pa.Array:
    pair = person & ~np.int64(1)
    owner = np.where(_luck(pair, 12) < FAMILY_PHONE, pair, person)
    return numbered("+39347", owner, ~there)


def _named(code: Ints, times: Ints) -> dict[str, pa.Array]:
    return {"event": pa.array(_EVERY_NAME).take(pa.array(code)), "timestamp": _utc(times)}


def _utc(times: Ints) -> pa.Array:
    return pa.array(times).cast(pa.timestamp("us", tz="UTC"))


def write_sources(folder: Path, events: int, persons: int) -> None:
    """Write all files of all sources into the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    writers: dict[str, pq.ParquetWriter] = {}
    with ExitStack() as stack:

        def write(name: str, table: pa.Table) -> None:
            if name not in writers:
                writer = pq.ParquetWriter(folder / f"{name}.parquet", table.schema, compression="zstd")
                writers[name] = stack.enter_context(writer)
            writers[name].write_table(table, row_group_size=262_144)

        blocks = -(-events // BLOCK_EVENTS)
        for number, tables in enumerate(source_tables(events, persons)):
            for source, table in tables.items():
                if not number:
                    _write_mapping(folder, source, table.column_names)
                if source == "web" and number == blocks - 1:
                    table = _held_back(table, write)
                is_new = pc.greater_equal(table.column("timestamp").cast(pa.int64()), NEW_US)
                write(source, table.filter(pc.invert(is_new)))
                write(f"{source}_new", table.filter(is_new))


def _held_back(web: pa.Table, write: Callable[[str, pa.Table], None]) -> pa.Table:
    """Write the last rows to small files; returns the others."""
    rest = len(web) - SMALL_FILES * SMALL_ROWS
    for number in range(SMALL_FILES):
        write(f"small_{number + 1}", web.slice(rest + number * SMALL_ROWS, SMALL_ROWS))
    return web.slice(0, rest)


def _write_mapping(folder: Path, source: str, names: list[str]) -> None:
    columns = "\n".join(f'{name} = "{name}"' for name in names if name not in ("event", "timestamp"))
    ref_space = "till" if source == "till" else "shop"
    text = _MAPPING.format(source=source, kind=_KINDS[source], ref_space=ref_space, columns=columns)
    (folder / f"{source}.toml").write_text(text, encoding="utf-8")


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.generate_identity", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--persons", type=int, default=0, help="people; default: one for twenty events")
    options = parser.parse_args(arguments)
    write_sources(options.folder, options.events, options.persons or max(1, options.events // 20))


if __name__ == "__main__":
    main()
