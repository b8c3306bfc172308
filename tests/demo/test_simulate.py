"""The simulated files: equal for equal options, each in its tool's own format, holding the dirt they promise."""

from __future__ import annotations

import csv
import json
import re
from collections import Counter, defaultdict
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from percorso.demo.catalogue import BOT_AGENTS, STORES
from percorso.demo.days import Period
from percorso.demo.files import FILES, euro, row
from percorso.demo.simulate import SPOOL_FOLDER, Simulated, simulate
from percorso.demo.store import WRONG_CLOCK
from percorso.events.canonical_events import CANONICAL_EVENTS
from percorso.events.mapping_file import parse_mapping
from tests.demo.conftest import CUSTOMERS


def table(folder: Path, key: str) -> list[dict[str, str]]:
    file = FILES[key]
    with (folder / file.name).open(encoding=file.encoding, newline="") as stream:
        return list(csv.DictReader(stream, delimiter=file.delimiter))


def messages(folder: Path, key: str) -> list[dict[str, Any]]:
    """The messages that can be read."""
    found = []
    for line in (folder / FILES[key].name).read_text(encoding="utf-8").splitlines():
        try:
            found.append(json.loads(line))
        except ValueError:
            continue
    return found


@pytest.fixture(scope="module")
def web(files: Path) -> list[dict[str, Any]]:
    return messages(files, "web")


# --------------------------------------------------------------------------------------------- determinism


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_equal_options_write_equal_bytes_whatever_the_processes(tmp_path: Path) -> None:
    one = simulate(tmp_path / "one", customers=CUSTOMERS, seed=7, months=2, processes=1)
    two = simulate(tmp_path / "two", customers=CUSTOMERS, seed=7, months=2, processes=2)
    assert contents(tmp_path / "one") == contents(tmp_path / "two")
    assert [file.rows for file in one.files] == [file.rows for file in two.files]
    other = simulate(tmp_path / "other", customers=CUSTOMERS, seed=8, months=2, processes=1)
    assert other.files[0].path.read_bytes() != one.files[0].path.read_bytes()


def test_an_empty_corner_of_the_year_is_no_trouble(tmp_path: Path) -> None:
    done = simulate(tmp_path, customers=1, months=1, processes=1)
    assert done.events > 20
    assert not (tmp_path / SPOOL_FOLDER).exists()


def test_what_is_said_of_the_files_is_so(simulated: Simulated, files: Path) -> None:
    by_name = {written.path.name: written.rows for written in simulated.files}
    assert by_name["newsletter.csv"] == len(table(files, "mail"))
    assert by_name["web.ndjson"] == len((files / "web.ndjson").read_text(encoding="utf-8").splitlines())
    receipts = {(line["Negozio"], line["Cassa"], line["Data"], line["Scontrino"]) for line in table(files, "till")}
    assert by_name["scontrini.csv"] == len(receipts)
    assert simulated.events == sum(by_name[file.name] for file in FILES.values())


@pytest.mark.parametrize("key", ["web", "app", "tablet"])
def test_messages_come_in_order_of_arrival(files: Path, key: str) -> None:
    arrived = [found["receivedAt"] for found in messages(files, key) if "receivedAt" in found]
    late = sum(one[:16] > other[:16] for one, other in pairwise(arrived))
    assert late < len(arrived) / 100  # copies come a little later


# ------------------------------------------------------------------------------------------------- mappings


@pytest.mark.parametrize("key", [key for key, file in FILES.items() if file.mapping])
def test_each_table_has_a_mapping_that_can_be_read(files: Path, key: str) -> None:
    file = FILES[key]
    path = files / "mappings" / file.mapping
    mapping = parse_mapping(path.read_text(encoding="utf-8"), where=path.name)
    assert mapping.source == file.source
    told = {name for event in mapping.events for name in event.name.values.values()}
    assert told <= set(CANONICAL_EVENTS)
    assert (files / file.name).read_bytes().startswith(file.header.encode(file.encoding) + b"\r\n")


def test_all_names_of_events_are_known(web: list[dict[str, Any]], files: Path) -> None:
    tracked = {message["event"] for message in web + messages(files, "app") if message["type"] == "track"}
    assert tracked <= set(CANONICAL_EVENTS)
    assert {"Order Completed", "Payment Failed", "Checkout Step Viewed", "Signed Up", "Help Viewed"} <= tracked


# ----------------------------------------------------------------------------------------------------- dirt


def test_the_sites_dirt(web: list[dict[str, Any]]) -> None:
    ids = Counter(message["messageId"] for message in web)
    agents = {message["context"]["userAgent"] for message in web if "context" in message}
    assert 0.002 < sum(count - 1 for count in ids.values()) / len(web) < 0.008
    assert agents & set(BOT_AGENTS)
    assert {message.get("userId") for message in web} >= {"null", "guest"}
    assert any(message["timestamp"] == "ieri" for message in web)
    mediums = {message["context"].get("campaign", {}).get("medium") for message in web if "context" in message}
    assert "corde" in mediums  # the campaign with wrong tags


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def test_some_messages_are_late_and_some_clocks_are_wrong(web: list[dict[str, Any]]) -> None:
    timed = [message for message in web if "receivedAt" in message]
    late = [m for m in timed if (moment(m["sentAt"]) - moment(m["timestamp"])).total_seconds() > 3600]
    wrong = [m for m in timed if abs((moment(m["receivedAt"]) - moment(m["sentAt"])).total_seconds()) > 3600]
    assert 0.0005 < len(late) / len(timed) < 0.01
    assert 0.005 < len(wrong) / len(timed) < 0.05


def test_a_family_shares_a_phone(web: list[dict[str, Any]]) -> None:
    people: dict[str, set[str]] = defaultdict(set)
    for message in web:
        if message["type"] == "identify":
            people[message["anonymousId"]].add(message["traits"]["email"])
    assert max(map(len, people.values())) == 2


def test_many_use_the_tablet_on_the_counter(files: Path) -> None:
    found = messages(files, "tablet")
    signed_in = {message["traits"]["email"] for message in found if message["type"] == "identify"}
    assert len({message["anonymousId"] for message in found}) == len(STORES)
    assert len(signed_in) > 20


def test_receipts_are_numbered_anew_each_morning(files: Path) -> None:
    numbers: dict[tuple[str, str, str], list[int]] = defaultdict(list)
    for line in table(files, "till"):
        numbers[line["Negozio"], line["Cassa"], line["Data"]].append(int(line["Scontrino"]))
    numbers = {key: found for key, found in numbers.items() if max(found) < 900}
    assert all(sorted(set(found)) == list(range(1, max(found) + 1)) for found in numbers.values())


def test_what_tills_print(files: Path) -> None:
    lines = table(files, "till")
    assert any(line["Data"] == "31/09/2024" for line in lines)
    assert any(line["Totale scontrino"] == "ERR#" for line in lines)
    assert any(line["Tipo"] == "RESO" and line["Totale scontrino"].startswith("-") for line in lines)
    assert any(not line["Tessera"] for line in lines)
    assert b"Quantit\xe0" in (files / "scontrini.csv").read_bytes()[:200]


def test_shops_are_closed_on_sundays_and_in_august(files: Path) -> None:
    days = {datetime.strptime(line["Data"], "%d/%m/%Y") for line in table(files, "till") if line["Data"][:2] != "31"}
    assert not [day for day in days if day.weekday() == 6]
    assert not [day for day in days if day.month == 8 and 11 <= day.day <= 24]


def test_one_till_stays_on_summer_time() -> None:
    period = Period(13)
    (change,) = [t for t in period.clock_changes if t < period.end]
    assert period.italian_day(change) == "27/10/2024"
    assert WRONG_CLOCK[0] in STORES
    assert period.utc(change - 86_400_000 + 12 * 3_600_000) == "2024-10-26T10:00:00.000Z"
    assert period.utc(change + 12 * 3_600_000) == "2024-10-27T11:00:00.000Z"


def test_answers_are_of_people_who_were_asked(files: Path) -> None:
    lines = table(files, "surveys")
    asked = {line["E-mail"] for line in lines if line["Evento"] == "invio"}
    assert {line["E-mail"] for line in lines if line["Evento"] == "risposta" and line["E-mail"]} <= asked
    kinds = {line["Tipo"] for line in lines}
    assert kinds == {"nps", "csat", "fonte"}
    codes = {line["Codice"] for line in lines if line["Codice"]}
    assert codes <= {line["Codice"] for line in table(files, "till")}
    assert all(re.fullmatch(r"LC-[A-Z2-9]{7}", code) for code in codes)


def test_a_share_of_those_who_are_asked_answers(files: Path) -> None:
    lines = Counter((line["Sondaggio"], line["Evento"]) for line in table(files, "surveys"))
    receipts = sum(1 for _ in {line["Codice"] for line in table(files, "till")})
    assert lines["consegna", "risposta"] / lines["consegna", "invio"] == pytest.approx(0.14, abs=0.08)
    assert lines["assistenza", "risposta"] / lines["assistenza", "invio"] == pytest.approx(0.22, abs=0.2)
    assert lines["come ci hai conosciuto", "fonte"] / lines["come ci hai conosciuto", "invio"] == pytest.approx(
        0.38, abs=0.2
    )
    assert lines["codice sullo scontrino", "risposta"] / receipts == pytest.approx(0.018, abs=0.015)


def test_codes_of_receipts_are_given_once(files: Path) -> None:
    codes: dict[str, set[tuple[str, ...]]] = defaultdict(set)
    for line in table(files, "till"):
        codes[line["Codice"]].add((line["Negozio"], line["Cassa"], line["Data"], line["Scontrino"]))
    assert all(len(receipts) == 1 for code, receipts in codes.items() if code)


# ---------------------------------------------------------------------------------------------------- cells


def test_cells_are_quoted_where_they_must_be() -> None:
    assert row(";", "a", "b,c") == "a;b,c\r\n"
    assert row(",", "a", "b,c") == 'a,"b,c"\r\n'
    assert row(";", 'sei "bravo"', "") == '"sei ""bravo""";\r\n'


@pytest.mark.parametrize(
    ("cents", "text"), [(5, "0,05"), (124_900, "1.249,00"), (-690, "-6,90"), (100_000_000, "1.000.000,00")]
)
def test_italian_amounts(cents: int, text: str) -> None:
    assert euro(cents) == text
