"""Details of events: what is read from which property, and what is not (docs/reference/details.md)."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from percorso.events.canonical_events import CANONICAL_EVENTS
from percorso.events.consent import CHANNEL_WORDS, CONSENT_CHANNELS, channels_of, consents_in, consents_of_json
from percorso.events.details import (
    DETAIL_BEARERS,
    DETAIL_EVENTS,
    DETAIL_KEYS,
    DETAIL_TYPE,
    NO_DETAIL,
    DetailSource,
    detail_of,
)
from tests.docs_tables import DOCS, code_spans, table

PAGE = "reference/details.md"


def details(event: str, properties: dict[str, Any] | None = None, **more: Any) -> dict[str, object]:
    text = json.dumps(properties) if properties else ""
    return detail_of(DetailSource(event, properties=text, **more), timezone="Europe/Rome") or {}


def utc(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1_000_000


@pytest.mark.parametrize(
    ("properties", "seconds"),
    [
        ({"duration": 95}, 95.0),
        ({"callDuration": "4:05"}, 245.0),
        ({"Durata": "1:02:03"}, 3723.0),
        ({"durata_minuti": "2,5"}, 150.0),
        ({"duration_ms": 1500}, 1.5),
        ({"duration": "soon", "talk_time": 7}, 7.0),
        ({"duration": -4}, None),
        ({"duration": True}, None),
        ({"duration": [1]}, None),
    ],
)
def test_durations_are_seconds(properties: dict[str, Any], seconds: float | None) -> None:
    assert details("Call Ended", properties).get("duration_s") == seconds


def test_a_video_is_watched_as_far_as_its_position() -> None:
    assert details("Video Progressed", {"duration": 600, "video_duration": 600, "video_current_time": 12}) == {
        "duration_s": 12.0
    }


@pytest.mark.parametrize(
    ("told", "time"),
    [
        ("2024-07-01T10:00:00Z", "2024-07-01 10:00"),
        ("2024-07-01 10:00", "2024-07-01 08:00"),
        ("1/7/2024 9:30", "2024-07-01 07:30"),
        (1719828000, "2024-07-01 10:00"),
        (1719828000000, "2024-07-01 10:00"),
    ],
)
def test_a_promise_is_a_time(told: object, time: str) -> None:
    assert details("Order Completed", {"promised_at": told}) == {"promised": utc(time)}


@pytest.mark.parametrize("told", ["2024-07-01", "01/07/2024", "1.7.2024", "2024-07-01 00:00:00", "2024-07-01T00:00"])
def test_a_promised_day_is_its_end_in_the_time_zone(told: str) -> None:
    assert details("Order Shipped", {"consegna_prevista": told}) == {"promised": utc("2024-07-01 22:00") - 1}


@pytest.mark.parametrize("told", ["soon", "2024-13-01", "31/02/2024", "", None, False, -5, {"at": 1}])
def test_a_promise_that_cannot_be_read_is_none(told: object) -> None:
    assert details("Order Completed", {"promised_at": told}) == {}


def test_surveys_have_kind_and_name() -> None:
    assert details("Survey Answered", {"survey": "NPS", "survey_name": "relational", "scale": "0-10"}) == {
        "survey": "nps",
        "survey_name": "relational",
        "scale": 10.0,
    }
    assert details("Survey Sent", {"survey": "After the call", "type": "Customer Satisfaction", "max_score": 5}) == {
        "survey": "csat",
        "survey_name": "After the call",
        "scale": 5.0,
    }
    assert details("Survey Answered", sent="NPS Answered") == {"survey": "nps"}
    assert details("Survey Answered", {"tipo": "Onboarding"}) == {"survey": "onboarding"}


def test_texts_are_masked_and_prose_is_not_kept() -> None:
    assert details("Ticket Opened", {"motivo": "scrivere a anna@posta.example"}) == {"reason": "scrivere a *"}
    assert details("Ticket Opened", {"reason": "x" * 81}) == {}
    assert details("Source Declared", {"come_ci_hai_conosciuto": ["un'amica"]}) == {"answer": "un'amica"}


def test_a_message_of_a_robot_is_automatic() -> None:
    assert details("Message Received", {"sender_type": "bot"}) == {"automatic": 1}
    assert details("Message Received", {"sender_type": "agent", "automatic": False}) == {}


def test_reviews_that_were_asked_for_and_points() -> None:
    assert details("Product Reviewed", {"solicited": "sì", "best_rating": 5}) == {"asked": 1, "scale": 5.0}
    assert details("Product Reviewed", {"solicited": 0}) == {"asked": 0}
    expires = {"points": "-20", "scadenza": "31/12/2024"}
    assert details("Points Redeemed", expires) == {"points": 20.0, "expires": utc("2024-12-31 23:00") - 1}
    assert details("Order Completed", expires, member=True) == {"member": 1}


def test_only_events_that_can_bear_a_fact_have_it() -> None:
    every = {keys[0]: 1 for keys in DETAIL_KEYS.values()} | {"email_consent": True}
    assert details("Page Viewed", every) == {}
    assert set(details("Something of ours", every)) == {
        "duration_s",
        "promised",
        "reason",
        "automatic",
        "consent_email",
    }
    assert details("Call Ended", {}) == {}


@pytest.mark.parametrize("text", ["[1]", "{", '"duration"', "null", "[" * 3000])
def test_properties_that_are_no_object_say_nothing(text: str) -> None:
    assert detail_of(DetailSource("Call Ended", properties=text, consent=text), timezone="UTC") is None


# ------------------------------------------------------------------------------------------------------------ consent


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (DetailSource("Newsletter Subscribed"), {"email": 1}),
        (DetailSource("Newsletter Subscribed", properties='{"channel": "WhatsApp"}'), {"whatsapp": 1}),
        (DetailSource("Unsubscribed", "SMS Unsubscribed"), {"sms": 0}),
        (DetailSource("Unsubscribed", "unsubscribe", "sms"), {"sms": 0}),
        (DetailSource("Unsubscribed", "Disiscrizione"), {"email": 0}),
        (DetailSource("Unsubscribed", "Disiscrizione", "crm", channel="SMS"), {"sms": 0}),
        (DetailSource("Unsubscribed", "Disiscrizione", "crm", channel="Referral"), {"email": 0}),
        (DetailSource("Email Marked as Spam", "spam", "email"), {"email": 0}),
        (DetailSource("Consent Given", "cookie_consent_given", "web"), {}),
        (DetailSource("Consent Given", "Consented to Receive SMS"), {"sms": 1}),
        (DetailSource("Consent Withdrawn", properties='{"channels": ["sms", "push"]}'), {"sms": 0, "push": 0}),
        (DetailSource("Page Viewed", consent='{"email": "granted", "analytics": true}'), {"email": 1}),
        (DetailSource("Page Viewed", properties='{"email_consent": true}'), {}),
        (DetailSource("Identify", traits='{"email": "a@x.example", "smsOptIn": "no"}'), {"sms": 0}),
        (DetailSource("Signed Up", traits='{"smsOptIn": "no"}'), {}),
    ],
)
def test_consent_is_said_by_channel(source: DetailSource, said: dict[str, int]) -> None:
    found = detail_of(source, timezone="UTC") or {}
    assert {name.removeprefix("consent_"): value for name, value in found.items()} == said


@pytest.mark.parametrize(
    ("properties", "said"),
    [
        ({"accepts_marketing": True}, {"email": 1}),
        ({"newsletter": "no"}, {"email": 0}),
        ({"whatsappOptOut": True}, {"whatsapp": 0}),
        ({"is_subscribed_to_push_notifications": 1}, {"push": 1}),
        ({"consenso_marketing": "sì", "consenso_posta": "no"}, dict.fromkeys(CONSENT_CHANNELS, 1) | {"mail": 0}),
        ({"consent": {"sms": {"state": "not_subscribed"}}}, {"sms": 0}),
        ({"email_marketing_consent": {"state": "subscribed", "opt_in_level": "single"}}, {"email": 1}),
        ({"email_consent": "pending"}, {}),
        ({"privacy_consent": True, "email": "a@x.example", "opt_in_step": 2, "text": "yes"}, {}),
    ],
)
def test_consent_in_properties(properties: dict[str, Any], said: dict[str, int]) -> None:
    assert consents_in(properties) == said


def test_consent_as_json() -> None:
    assert consents_of_json('["email", "posta"]') == {"email": 1, "mail": 1}
    assert consents_of_json('"e-mail; sms"') == {"email": 1, "sms": 1}
    assert consents_of_json('{"marketing": false, "sms": true}') == dict.fromkeys(CONSENT_CHANNELS, 0) | {"sms": 1}
    for text in ("", "yes", '"yes"', "true", '{"ads_storage": "Yes"}', "{"):
        assert consents_of_json(text) == {}


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
_NAMES = st.sampled_from([key for keys in DETAIL_KEYS.values() for key in keys] + ["consent", "sms_opt_in", "channel"])


@given(st.sampled_from([*CANONICAL_EVENTS, "mine"]), st.dictionaries(_NAMES, _JSON), _JSON)
def test_whatever_is_sent_gives_details_of_the_right_types(event: str, properties: Any, consent: Any) -> None:
    kinds = {name: type(value) for name, value in NO_DETAIL.items()}
    source = DetailSource(event, properties=json.dumps(properties), consent=json.dumps(consent))
    for name, value in (detail_of(source, timezone="Europe/Rome") or {}).items():
        assert type(value) is kinds[name]


# --------------------------------------------------------------------------------------------------------------- docs


def test_every_fact_is_documented() -> None:
    rows = table(PAGE, "Which facts, on which events")
    documented = {code_spans(row[0])[0]: tuple(code_spans(row[2])) for row in rows}
    assert documented == {name: tuple(filter(None, dict.fromkeys(events))) for name, events in DETAIL_BEARERS.items()}
    assert {name for name, events in DETAIL_BEARERS.items() if "" in events} == {
        code_spans(row[0])[0] for row in rows if row[2].endswith("events of your own")
    }
    names = {field.name for field in DETAIL_TYPE} - {"member"} - {f"consent_{one}" for one in CONSENT_CHANNELS}
    assert documented.keys() - {"consent", "watched_s"} == names


def test_every_property_is_documented() -> None:
    rows = {code_spans(row[0])[0]: tuple(code_spans(row[1])) for row in table(PAGE, "Where they are read from")}
    assert rows == dict(DETAIL_KEYS)
    words = {row[0]: tuple(code_spans(row[1])) for row in table(PAGE, "Consent")}
    assert words == {name or "all of them": tuple(text.split()) for name, text in CHANNEL_WORDS.items()}
    assert all(channels_of(word) for texts in words.values() for word in texts)


def test_bearers_are_canonical_events() -> None:
    assert DETAIL_EVENTS.keys() - {""} <= CANONICAL_EVENTS.keys()


def test_the_examples_of_the_page_hold() -> None:
    text = (DOCS / PAGE).read_text(encoding="utf-8")
    (example,) = re.findall(r"```json\n(.*?)```", text, re.DOTALL)
    message = json.loads(example)
    assert details(message["event"], message["properties"]) == {"duration_s": 245.0, "reason": "Reso in ritardo"}
    assert details("Order Completed", {"consegna_prevista": "31/12/2024"}) == {"promised": utc("2024-12-31 23:00") - 1}
