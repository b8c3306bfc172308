"""Random small logs for flows and variants, and their rows as the plain twins take them."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import strategies as st

from percorso.store.journey_log import FLAG_BOT, FLAG_GOAL, FLAG_HEAVY, FLAG_SAME_ORDER
from tests.log_builder import DAY, HOUR, Journey, Row
from tests.naive import flow

NAMES = ("cart", "home", "list", "order")
PLACES = ("", "site", "store")
OUT = FLAG_BOT | FLAG_HEAVY | FLAG_SAME_ORDER


@dataclass(frozen=True)
class PathLog:
    rows: list[Row]
    journeys: list[Journey]

    @property
    def as_of(self) -> int:
        return max((row.time for row in self.rows), default=0)

    def ordered(self) -> list[Row]:
        """As they stand in the log, but for the order of persons, which no path depends on."""
        return sorted(self.rows, key=lambda row: (row.person, row.time))

    def cases(self, per: str) -> dict[tuple[str, str], int]:
        """Number of each case, by person and name."""
        keys = {key for row in self.rows if (key := _case(row, per)) is not None}
        return {key: n for n, key in enumerate(sorted(keys))}

    def plain(self, *, per: str, unit: str, bots: bool = False) -> list[flow.Row]:
        persons = sorted({row.person for row in self.rows})
        cases = self.cases(per)
        return [
            flow.Row(
                person=persons.index(row.person),
                time=row.time,
                node=row.event if unit == "event" else row.coded.get(unit, ""),
                case=cases[key] if (key := _case(row, per)) else None,
                contact=row.contact if row.contact >= 0 else None,
                kept=not row.flags & (OUT & ~FLAG_BOT if bots else OUT),
            )
            for row in self.ordered()
        ]

    def person_of_case(self, per: str) -> dict[int, int]:
        persons = sorted({row.person for row in self.rows})
        return {n: persons.index(key[0]) for key, n in self.cases(per).items()}


def _case(row: Row, per: str) -> tuple[str, str] | None:
    name = {"person": row.person, "journey": row.journey, "session": row.session}[per]
    return (row.person, name) if name else None


@st.composite
def path_logs(draw: st.DrawFn) -> PathLog:
    """Up to six persons with ties in time, journeys side by side, contacts to and fro, flags and gaps."""
    rows, journeys = [], []
    for p in range(draw(st.integers(0, 6))):
        person, now = f"p{p}", 0
        for _ in range(draw(st.integers(1, 8))):
            now += draw(st.sampled_from((0, 0, 1, HOUR, DAY)))
            rows.append(
                Row(
                    person=person,
                    time=now,
                    event=draw(st.sampled_from(NAMES)),
                    coded={"place": draw(st.sampled_from(PLACES)), "device": draw(st.sampled_from(("", "phone")))},
                    session=draw(st.sampled_from(("", "s1", "s2"))),
                    contact=draw(st.sampled_from((-1, 10 * p, 10 * p + 1))),
                    journey=draw(st.sampled_from(("", "j1", "j2"))),
                    flags=draw(st.sampled_from((0, 0, 0, FLAG_GOAL, FLAG_BOT, FLAG_SAME_ORDER))),
                )
            )
        for name in ("j1", "j2"):
            kind = draw(st.sampled_from(("purchase", "purchase", "order")))
            goal = draw(st.sampled_from((-1, now, now + 1))) if kind == "purchase" else -1
            timeout = draw(st.sampled_from((0, HOUR, 30 * DAY)))
            journeys.append(Journey(person=person, name=name, kind=kind, goal_time=goal, timeout=timeout))
    return PathLog(rows, journeys)
