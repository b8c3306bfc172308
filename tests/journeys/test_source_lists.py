"""Our list of hosts against Google's and Matomo's, every row."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from percorso.journeys.channels import ChannelRules, Origin
from percorso.journeys.source_lists import (
    CATEGORIES,
    EXCLUDED_HOSTS,
    LIST_EXCEPTIONS,
    HostIndex,
    referrer_category,
    source_category,
)
from percorso.settings import ChannelSettings
from tests.docs_tables import code_spans, table

Data = Callable[[str], Path]

RULES = ChannelRules(ChannelSettings())

PAID = {"SEARCH": "Paid Search", "SHOPPING": "Paid Shopping", "SOCIAL": "Paid Social", "VIDEO": "Paid Video"}
ORGANIC = {
    "SEARCH": "Organic Search",
    "SHOPPING": "Organic Shopping",
    "SOCIAL": "Organic Social",
    "VIDEO": "Organic Video",
}

#: What "{}" in Matomo's lists stands for: a top-level domain at the end, a country's subdomain in front.
TOP_LEVELS = ("it", "com", "de", "co.uk", "com.br")
COUNTRIES = ("it", "uk")


def ga4_rows(data: Data) -> list[tuple[str, str]]:
    path = data("ga4_source_categories") / "ga4_source_categories.csv"
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return [(row["source"], row["source_category"].removeprefix("SOURCE_CATEGORY_")) for row in rows]


def matomo(data: Data, name: str) -> Any:
    return yaml.safe_load((data("matomo_searchengine_social") / name).read_text(encoding="utf-8"))


def expanded(entry: str) -> Iterator[str]:
    """The addresses an entry of Matomo's lists stands for."""
    if "{}" not in entry:
        yield entry
        return
    for text in COUNTRIES if "{}." in entry else TOP_LEVELS:
        yield entry.replace("{}", text)


def channel_of_referrer(address: str) -> str:
    # Matomo writes an app's referrer "android-app//name", phones send "android-app://name".
    referrer = address.replace("//", "://", 1) if address.startswith("android-app") else f"https://{address}"
    return RULES.classify(Origin("web", referrer=referrer, url_host="www.shop.example")).channel


def exceptions(list_name: str) -> dict[str, str]:
    return {exception.entry: exception.ours for exception in LIST_EXCEPTIONS if exception.list_name == list_name}


@pytest.mark.parametrize("medium", ["cpc", "ppc", "paid-social", "retargeting"])
def test_ga4_sources_with_a_paid_medium(data: Data, medium: str) -> None:
    """Oracle: Google's list, rows as utm_source. No exception."""
    rows = ga4_rows(data)
    assert len(rows) == 819
    found = {s: RULES.classify(Origin("web", utm_source=s, utm_medium=medium)).channel for s, _ in rows}
    assert {s: (found[s], PAID[c]) for s, c in rows if found[s] != PAID[c]} == {}


@pytest.mark.parametrize("medium", ["referral", "organic", ""])
def test_ga4_sources_with_another_medium(data: Data, medium: str) -> None:
    """Oracle: Google's list, rows as utm_source. No exception."""
    rows = ga4_rows(data)
    found = {s: RULES.classify(Origin("web", utm_source=s, utm_medium=medium)).channel for s, _ in rows}
    assert {s: (found[s], ORGANIC[c]) for s, c in rows if found[s] != ORGANIC[c]} == {}


def test_ga4_hosts_as_referrers(data: Data) -> None:
    """Oracle: Google's list; the published exceptions are exactly the rows that differ."""
    rows = [(source, category) for source, category in ga4_rows(data) if "." in source]
    assert len(rows) > 500
    different = {s: channel_of_referrer(s) for s, c in rows if channel_of_referrer(s) != ORGANIC[c]}
    assert different == exceptions("ga4")


def test_matomo_search_engines(data: Data) -> None:
    """Oracle: Matomo's SearchEngines.yml; the published exceptions are exactly the rows that differ."""
    engines = matomo(data, "SearchEngines.yml")
    entries = [url for parts in engines.values() for part in parts for url in part.get("urls", ())]
    assert len(entries) > 600
    different = {
        entry: channel_of_referrer(address)
        for entry in entries
        for address in expanded(entry)
        if channel_of_referrer(address) != "Organic Search"
    }
    assert different == exceptions("matomo-search")


def test_matomo_social_networks(data: Data) -> None:
    """Oracle: Matomo's Socials.yml; the published exceptions are exactly the rows that differ."""
    entries = [url for urls in matomo(data, "Socials.yml").values() for url in urls]
    assert len(entries) > 200
    different = {url: channel_of_referrer(url) for url in entries if channel_of_referrer(url) != "Organic Social"}
    assert different == exceptions("matomo-social")


def test_matomo_assistants(data: Data) -> None:
    """Oracle: Matomo's AIAssistants.yml. No exception."""
    entries = [url for urls in matomo(data, "AIAssistants.yml").values() for url in urls]
    assert len(entries) > 20
    assert {url: channel_of_referrer(url) for url in entries if channel_of_referrer(url) != "AI Assistant"} == {}


@pytest.mark.parametrize("exception", LIST_EXCEPTIONS, ids=lambda e: f"{e.list_name}:{e.entry}")
def test_an_exception_has_a_reason_and_holds(exception: Any) -> None:
    assert exception.reason
    assert channel_of_referrer(exception.entry) == exception.ours


@pytest.mark.parametrize(
    ("host", "category"),
    [
        ("www.google.it", "search"),
        ("google.co.uk", "search"),
        ("news.google.com", "search"),
        ("gemini.google.com", "ai"),
        ("mail.google.com", "webmail"),
        ("docs.google.com", "other"),
        ("accounts.google.com", "excluded"),
        ("sites.google.com", "social"),
        ("shopping.google.com", "shopping"),
        ("notgoogle.com", ""),
        ("google.com.evil.example", ""),
        ("google.evil.example", ""),
        ("l.facebook.com", "social"),
        ("www.amazon.it", "shopping"),
        ("www.amazon.com.br", "shopping"),
        ("pay.amazon.it", "excluded"),
        ("bucket.s3.amazonaws.com", "excluded"),
        ("com.google.android.gm", "webmail"),
        ("com.linkedin.android", "social"),
        ("www.shop.example", ""),
        ("localhost", ""),
        ("", ""),
    ],
)
def test_the_most_specific_line_wins(host: str, category: str) -> None:
    assert referrer_category(host) == category


def test_a_path_can_tell_an_assistant() -> None:
    assert referrer_category("x.com", "/i/grok/share/1") == "ai"
    assert referrer_category("x.com", "/somebody/status/1") == "social"


def test_tagged_sources_are_what_ga4_says() -> None:
    assert [source_category(s) for s in ("google", "mail.yandex.ru", "checkout.stripe.com", "newsletter")] == [
        "search",
        "search",
        "shopping",
        "",
    ]


def test_hosts_of_any_top_level_domain_need_the_whole_name() -> None:
    index = HostIndex()
    index.add("amazon.{}", "shopping")
    assert [index.find(h) for h in ("amazon.it", "a.amazon.co.jp", "amazon", "my-amazon.it")] == ["shopping"] * 2 + [
        ""
    ] * 2


def test_the_file_is_sorted_and_without_repetition() -> None:
    path = Path(__file__).parents[2] / "src/percorso/journeys/data/sources.txt"
    sections: dict[str, list[str]] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            current = sections.setdefault(line.strip("[]"), [])
        elif line and not line.startswith("#"):
            current.append(line)
    assert set(CATEGORIES) < set(sections)
    for name, lines in sections.items():
        assert lines == sorted(set(lines), key=lambda text: (text.startswith("- "), text)), name


def test_docs_publish_the_exceptions() -> None:
    documented = [
        (name, code_spans(entry)[0], ours, reason)
        for name, entry, ours, reason in table("reference/channels.md", "Where we differ from the lists")
    ]
    assert documented == [(e.list_name, e.entry, e.ours, e.reason) for e in LIST_EXCEPTIONS]


def test_docs_publish_the_excluded_hosts() -> None:
    documented = {
        host: reason
        for reason, hosts in table("reference/channels.md", "Hosts that are no origin")
        for host in code_spans(hosts)
    }
    assert documented == EXCLUDED_HOSTS
