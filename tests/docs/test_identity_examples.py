"""The worked examples of docs/concepts/identity.md and of its how-to pages, told to the real build."""

from __future__ import annotations

import re
import tomllib
import xml.etree.ElementTree as ET
from collections.abc import Iterable
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from percorso.events.event import STRONG_COLUMNS
from percorso.identity.lookup import Identifier
from percorso.identity.placement import PLACING_RULES
from percorso.settings import IdentitySettings, Settings
from percorso.settings.values import SHIPPED_LIMITS
from tests.docs.test_concept_examples import ANNA, BRUNO, build, names, persons
from tests.docs_tables import code_spans, table
from tests.identity.compiled import folded
from tests.journeys.worlds import build_files
from tests.lake_builder import event, lake_files

DOCS = Path(__file__).resolve().parents[2] / "docs"
PHONE = "347 1234567"


def sizes(
    folder: Path,
    rows: Iterable[dict[str, Any]],
    *,
    forbidden: tuple[Identifier, Identifier] | None = None,
    forced: tuple[Identifier, Identifier] | None = None,
    **identity: Any,
) -> list[int]:
    """Events of every person, the persons by their first event."""
    decided = folded([forced] if forced else [], [forbidden] if forbidden else [])
    settings = Settings(identity=IdentitySettings(**identity))
    log, _ = build_files(folder, lake_files(folder / "lake", rows), settings, decisions=decided)
    return [len(events) for events in persons(log)]


# ------------------------------------------------------------------------------------- concepts/identity.md


def test_the_kinds_and_their_limits() -> None:
    rows = table("concepts/identity.md", "Identifiers")
    limits = {row[0]: row[3] for row in rows}
    names_of = dict(
        zip(
            ("user id", "loyalty card", "e-mail address", "telephone number", "payment card token"),
            STRONG_COLUMNS,
            strict=True,
        )
    )
    for name, kind in names_of.items():
        assert int(limits[name]) == IdentitySettings().limit(kind)
    own = next(row for row in rows if "own_types" in row[0])
    assert int(own[3]) == IdentitySettings().limit("own")


def test_every_placing_rule_is_told() -> None:
    rows = table("concepts/identity.md", "The rule is kept")
    assert {code_spans(row[0])[0] for row in rows} == set(PLACING_RULES)


def test_the_card_and_the_account(tmp_path: Path) -> None:
    rows = [
        event("2025-09-01T10:00", "Order Completed", email=ANNA, order_id="1"),
        event("2025-09-02T10:00", "Order Completed", loyalty_id="LC7", source="till", source_kind="pos"),
    ]
    record = event("2025-09-03T10:00", "Loyalty Joined", loyalty_id="LC7", email=ANNA, source="desk", source_kind="crm")
    assert sizes(tmp_path / "two", rows) == [1, 1]
    assert sizes(tmp_path / "joined", [*rows, record]) == [3]


def test_the_gift(tmp_path: Path) -> None:
    rows = [
        *(
            event(f"2025-09-01T10:{n // 60:02d}:{n % 60:02d}", "Order Completed", user_id="u-1", email=ANNA)
            for n in range(100)
        ),
        event("2025-09-02T10:00", "Order Completed", user_id="u-2", email=ANNA),
        event("2025-09-03T10:00", "Email Link Clicked", email=ANNA, source="mail", source_kind="email"),
    ]
    assert sizes(tmp_path, rows) == [101, 1]


def calls() -> list[dict[str, Any]]:
    desk = {"source": "calls", "source_kind": "support", "phone": PHONE}
    return [
        *(event(f"2025-09-01T10:{n:02d}", "Call Started", user_id="u-1", **desk) for n in range(10)),
        *(event(f"2025-09-01T11:{n:02d}", "Call Started", user_id="u-2", **desk) for n in range(9)),
    ]


def test_the_family_s_telephone(tmp_path: Path) -> None:
    alone = event("2025-09-02T10:00", "Call Started", phone=PHONE, source="calls", source_kind="support")
    assert sizes(tmp_path, [*calls(), alone]) == [10, 10]


def tablet(*, signs_out: bool, source: str = "web", later: int = 0) -> list[dict[str, Any]]:
    at = {"anonymous_id": "tablet", "source": source}
    left = [event("2025-09-03T10:02", "Signed Out", **at, email=ANNA)] if signs_out else []
    return [
        event("2025-09-03T10:00", "Signed In", **at, email=ANNA),
        event("2025-09-03T10:01", "Product Viewed", **at),
        *left,
        *(event(f"2025-09-03T{10 + later}:1{minute}", "Page Viewed", **at) for minute in range(3)),
        event(f"2025-09-03T{10 + 2 * later}:20", "Signed In", **at, email=BRUNO),
    ]


def test_the_tablet_on_the_counter(tmp_path: Path) -> None:
    anna, nobody, bruno = persons(build(tmp_path, tablet(signs_out=True)))
    assert names(anna) == ["Signed In", "Product Viewed", "Signed Out"]
    assert names(nobody) == ["Page Viewed"] * 3
    assert names(bruno) == ["Signed In"]


def test_the_forgotten_sign_out(tmp_path: Path) -> None:
    anna, bruno = persons(build(tmp_path, tablet(signs_out=False)))
    assert names(anna) == ["Signed In", "Product Viewed", "Page Viewed", "Page Viewed", "Page Viewed"]
    assert names(bruno) == ["Signed In"]


def test_the_kiosk(tmp_path: Path) -> None:
    rows = tablet(signs_out=False, source="kiosk", later=1)
    assert sizes(tmp_path / "marked", rows, shared_sources=("kiosk",)) == [2, 3, 1]
    assert sizes(tmp_path / "not", rows) == [5, 1]


def test_the_guest(tmp_path: Path) -> None:
    log = build(
        tmp_path,
        [
            event("2025-09-01T10:00", "Page Viewed", anonymous_id="a1"),
            event("2025-09-02T10:00", "Product Viewed", anonymous_id="a1"),
            event("2025-09-03T10:00", "Order Completed", anonymous_id="a1", email=ANNA),
        ],
    )
    [anna] = persons(log)
    assert len(anna) == 3


def test_the_parcel(tmp_path: Path) -> None:
    courier = {"source": "courier", "source_kind": "delivery"}
    log = build(
        tmp_path,
        [
            event("2025-09-01T10:00", "Order Completed", email=ANNA, order_id="1001"),
            event("2025-09-04T10:00", "Order Delivered", order_id="1001", **courier),
            event("2025-09-04T11:00", "Order Delivered", order_id="2002", **courier),
        ],
    )
    [anna] = persons(log)
    assert names(anna) == ["Order Completed", "Order Delivered"]
    assert log.unidentified.n_events == 1


# ------------------------------------------------------------------------------------------------- how-to pages


def test_a_household_is_parted_at_the_addresses(tmp_path: Path) -> None:
    desk = {"source": "calls", "source_kind": "support", "phone": PHONE}
    rows = [
        event("2025-09-01T10:00", "Order Completed", email=ANNA, phone=PHONE),
        event("2025-09-02T10:00", "Order Completed", email=ANNA, phone=PHONE),
        event("2025-09-03T10:00", "Order Completed", email=BRUNO, phone=PHONE),
        event("2025-09-04T10:00", "Call Started", **desk),
    ]
    assert sizes(tmp_path / "one", rows) == [4]
    parted = (Identifier("email", "", ANNA), Identifier("email", "", BRUNO))
    assert sizes(tmp_path / "two", rows, forbidden=parted) == [3, 1]


def test_two_accounts_are_one_person_when_linked(tmp_path: Path) -> None:
    rows = [
        event("2025-09-01T10:00", "Order Completed", user_id="1042", email=ANNA),
        event("2025-09-02T10:00", "Order Completed", user_id="2077", email=BRUNO),
    ]
    assert sizes(tmp_path / "two", rows) == [1, 1]
    linked = (Identifier("user_id", "shop", "1042"), Identifier("user_id", "shop", "2077"))
    assert sizes(tmp_path / "one", rows, forced=linked) == [2]


def test_a_number_given_again_is_parted_at_the_address(tmp_path: Path) -> None:
    rows = [
        *(event(f"2023-09-0{n}T10:00", "Order Completed", user_id="1042", email=ANNA) for n in range(1, 4)),
        *(event(f"2025-09-0{n}T10:00", "Order Completed", user_id="1042", email=BRUNO) for n in range(1, 3)),
        event("2025-09-09T10:00", "Email Link Clicked", email=BRUNO, source="mail", source_kind="email"),
    ]
    assert sizes(tmp_path / "one", rows) == [6]
    parted = (Identifier("user_id", "shop", "1042"), Identifier("email", "", BRUNO))
    assert sizes(tmp_path / "two", rows, forbidden=parted) == [5, 1]


@pytest.mark.parametrize("page", ["shared-devices.md", "households.md", "merged-accounts.md"])
def test_the_settings_of_the_how_to_pages_are_settings(page: str) -> None:
    for block in re.findall(r"^```toml\n(.*?)^```", (DOCS / "how-to" / page).read_text(encoding="utf-8"), re.M | re.S):
        read: dict[str, Any] = tomllib.loads(block)["identity"]
        known = {field.name for field in fields(IdentitySettings)}
        assert read.keys() <= known
        assert read.get("limits", {}).keys() <= SHIPPED_LIMITS.keys()


# ----------------------------------------------------------------------------------------------------- pictures


PICTURES = sorted((DOCS / "concepts" / "img").glob("*.svg"))


@pytest.mark.parametrize("picture", PICTURES, ids=lambda path: path.name)
def test_a_picture_says_what_it_shows_and_runs_nothing(picture: Path) -> None:
    text = picture.read_text(encoding="utf-8")
    root = ET.fromstring(text)
    labels = root.get("aria-labelledby", "").split()
    told = {one.get("id"): one.text or "" for one in root if one.tag.endswith(("}title", "}desc"))}
    assert len(labels) == 2
    assert all(told[label].strip() for label in labels)
    assert root.get("role") == "img"
    assert root.get("viewBox")
    assert not re.search(r"<script|javascript:|\son\w+=|<foreignObject|href=", text)
    assert f"(img/{picture.name})" in (DOCS / "concepts" / "identity.md").read_text(encoding="utf-8")
