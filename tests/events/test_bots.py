"""Bot flags against crawler-user-agents, and against browsers of people."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from crawleruseragents import CRAWLER_USER_AGENTS_DATA

from percorso.events.bots import EXTRA_PATTERNS, NARROWED_PATTERNS, BotRules
from percorso.settings import BotSettings
from tests.docs_tables import code_spans, table

Data = Callable[[str], Path]

RULES = BotRules(BotSettings())

BROWSERS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36 "
    "Edg/138.0.0.0",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:141.0) Gecko/20100101 Firefox/141.0",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 "
    "Safari/605.1.15",
    "Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/137.0.0.0 Safari/537.36 "
    "OPR/120.0.0.0",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 "
    "Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (iPad; CPU OS 17_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/138.0.7204.156 "
    "Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Mobile Safari/537.36",
    "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/28.0 Chrome/130.0.0.0 "
    "Mobile Safari/537.36",
    "Mozilla/5.0 (Linux; Android 14; 2311DRK48G Build/UP1A.231005.007; wv) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Version/4.0 Chrome/138.0.7204.63 Mobile Safari/537.36 Instagram 388.0.0.43.78 Android",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 "
    "[FBAN/FBIOS;FBAV/518.0.0.52.100;FBDV/iPhone15,2;FBSN/iOS;FBSV/18.5;FBLC/it_IT]",
    "Mozilla/5.0 (Linux; Android 15; CPH2617 Build/AP3A.240617.008) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/125.0.6422.72 Mobile Safari/537.36 HeyTapBrowser/45.13.6.1",
    "Mozilla/5.0 (Linux; U; Android 4.2.1; en-gb; CUBOT ONE Build/JOP40D) AppleWebKit/534.30 Mobile Safari/534.30",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 11_4_1 like Mac OS X) Mobile/15G77 [FBAN/FBIOS;FBCR/OrangeBotswana]",
)

TOOLS = (
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/120.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Linux; Android 11; moto g power) AppleWebKit/537.36 Chrome/137.0.0.0 Safari/537.36 Chrome-Lighthouse",
    "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 (KHTML, like Gecko) Cypress/12.17.4 Chrome/106.0.5249.51",
    "Mozilla/5.0 (Unknown; Linux x86_64) AppleWebKit/534.34 (KHTML, like Gecko) PhantomJS/1.9.2 Safari/534.34",
    "PostmanRuntime/7.39.0",
    "python-requests/2.32.3",
    "curl/8.9.1",
    "k6/0.52.0 (https://k6.io/)",
    "AnyNewCrawler/0.1 (+https://new.example/robot)",
)

#: Families of browsers in uap-core's cases that people use to shop.
FAMILIES = re.compile(
    r"(Mobile )?(Chrome|Firefox|Safari|Edge|Samsung Internet|Opera|IE|Brave|Vivaldi|DuckDuckGo)( Mobile.*)?"
)


def cases(data: Data, name: str) -> list[dict[str, Any]]:
    path = data("uap_core") / name
    content = path.read_bytes()
    text = gzip.decompress(content) if path.suffix == ".gz" else content
    loaded: list[dict[str, Any]] = yaml.load(text, yaml.CSafeLoader)["test_cases"]
    return loaded


@pytest.mark.parametrize("user_agent", BROWSERS)
def test_browsers_of_people_are_no_bots(user_agent: str) -> None:
    assert not RULES.is_bot(user_agent)


@pytest.mark.parametrize("user_agent", TOOLS)
def test_tools_are_bots(user_agent: str) -> None:
    assert RULES.is_bot(user_agent)


def test_no_user_agent_is_no_bot() -> None:
    assert not RULES.is_bot("")


def test_own_patterns_and_exceptions() -> None:
    rules = BotRules(BotSettings(user_agents=(r"MyMonitor/\d",), allowed=("Googlebot",)))
    assert rules.is_bot("MyMonitor/2")
    assert not rules.is_bot("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)")
    assert rules.is_bot("Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)")


def test_every_example_of_the_list_is_flagged(data: Data) -> None:
    """Oracle: crawler-user-agents, data set and installed package."""
    path = data("crawler_user_agents") / "crawler-user-agents.json"
    entries = json.loads(path.read_text(encoding="utf-8")) + CRAWLER_USER_AGENTS_DATA
    examples = {example for entry in entries for example in entry["instances"]}
    assert len(examples) > 2_000
    assert not [example for example in examples if not RULES.is_bot(example)]


def test_we_flag_all_that_the_list_flags_but_the_narrowed(data: Data) -> None:
    """The index over patterns finds what one big alternation finds."""
    wide = re.compile("|".join(e["pattern"] for e in CRAWLER_USER_AGENTS_DATA if e["pattern"] not in NARROWED_PATTERNS))
    texts = [case["user_agent_string"] for case in cases(data, "test_ua.yaml")]
    assert not [text for text in texts if wide.search(text) and not RULES.is_bot(text)]


def test_shoppers_browsers_of_uap_core_are_no_bots(data: Data) -> None:
    """Oracle: uap-core. One case is a preview fetcher of Google that uap-core takes for Chrome."""
    flagged = [
        case["user_agent_string"]
        for case in cases(data, "test_ua.yaml")
        if FAMILIES.fullmatch(case["family"]) and RULES.is_bot(case["user_agent_string"])
    ]
    assert [text for text in flagged if "Google Web Preview" not in text] == []
    assert len(flagged) == 1


def test_phones_of_uap_core_are_no_bots(data: Data) -> None:
    """Of 16,046 devices, flagged are WhatsApp's link previews, WordPress sites and two crawlers."""
    devices = [case for case in cases(data, "test_device.yaml.gz") if case["family"] not in ("Spider", "Other")]
    flagged = [case["user_agent_string"] for case in devices if RULES.is_bot(case["user_agent_string"])]
    unexpected = [text for text in flagged if not re.match("WhatsApp|WordPress/", text)]
    assert (len(flagged), len(devices)) == (71, 16_046)
    assert sorted(text.split("/")[0].split(" (")[0] for text in unexpected) == [
        "Http Connector Spider, contact Alcatel-Lucent IDOL Search",
        "Huaweisymantecspider",
    ]


def test_spiders_of_uap_core_are_bots(data: Data) -> None:
    """15 of its 73 old spiders name themselves as nothing we know; the rest is flagged."""
    spiders = [case["user_agent_string"] for case in cases(data, "test_device.yaml.gz") if case["family"] == "Spider"]
    assert (sum(RULES.is_bot(text) for text in spiders), len(spiders)) == (58, 73)


def test_docs_list_our_own_patterns() -> None:
    documented = {
        code_spans(pattern)[0]: code_spans(ours)[0] for pattern, ours, _ in table("reference/bots.md", "Narrowed")
    }
    assert documented == NARROWED_PATTERNS
    assert [code_spans(row[0])[0] for row in table("reference/bots.md", "Added")] == list(EXTRA_PATTERNS)


def test_narrowed_patterns_are_still_in_the_list() -> None:
    assert set(NARROWED_PATTERNS) <= {entry["pattern"] for entry in CRAWLER_USER_AGENTS_DATA}
