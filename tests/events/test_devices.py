"""Devices against uap-core's own cases."""

from __future__ import annotations

import gzip
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from percorso.events.devices import DEVICE_KINDS, Device, device_of

Data = Callable[[str], Path]


def cases(data: Data, name: str) -> list[dict[str, Any]]:
    path = data("uap_core") / name
    content = path.read_bytes()
    text = gzip.decompress(content) if path.suffix == ".gz" else content
    loaded: list[dict[str, Any]] = yaml.load(text, yaml.CSafeLoader)["test_cases"]
    return loaded


def named(family: str) -> str:
    return "" if family == "Other" else family


def test_browsers_are_those_of_uap_core(data: Data) -> None:
    every = cases(data, "test_ua.yaml")
    assert len(every) == 1_601
    assert not [c for c in every if device_of(c["user_agent_string"]).browser != named(c["family"])]


def test_systems_are_those_of_uap_core(data: Data) -> None:
    every = cases(data, "test_os.yaml")
    assert len(every) == 483
    assert not [c for c in every if device_of(c["user_agent_string"]).os != named(c["family"])]


def test_brands_and_models_are_those_of_uap_core(data: Data) -> None:
    every = cases(data, "test_device.yaml.gz")
    assert len(every) == 16_129
    found = [(device_of(c["user_agent_string"]), c) for c in every]
    assert not [c for device, c in found if (device.brand, device.model) != (c["brand"] or "", c["model"] or "")]
    assert {device.kind for device, _ in found} <= set(DEVICE_KINDS)
    assert not [c for device, c in found if (device.kind == "bot") != (c["family"] == "Spider")]


def test_kinds_of_uap_core_devices(data: Data) -> None:
    """What uap-core calls iPad, iPhone, Mac, Kindle or PlayStation is of that kind."""
    kinds = {"iPad": "tablet", "iPhone": "mobile", "iPod": "mobile", "Kindle": "tablet", "PlayStation": "console"}
    for case in cases(data, "test_device.yaml.gz"):
        for family, kind in kinds.items():
            if case["family"] == family or case["family"].startswith(family + " "):
                assert device_of(case["user_agent_string"]).kind == kind, case


@pytest.mark.parametrize(
    ("user_agent", "kind", "os"),
    [
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:141.0) Gecko/20100101 Firefox/141.0", "desktop", "Windows"),
        (
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/18.5 Safari/605.1.15",
            "desktop",
            "Mac OS X",
        ),
        (
            "Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 Chrome/138.0.0.0 Safari/537.36",
            "desktop",
            "Chrome OS",
        ),
        (
            "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 Chrome/138.0.0.0 Mobile Safari/537.36",
            "mobile",
            "Android",
        ),
        ("Dalvik/2.1.0 (Linux; U; Android 14; SM-S911B Build/UP1A.231005.007)", "mobile", "Android"),
        ("Dalvik/2.1.0 (Linux; U; Android 14; SM-X710 Build/UP1A.231005.007)", "tablet", "Android"),
        (
            "Mozilla/5.0 (Linux; Android 13; SM-T870) AppleWebKit/537.36 Chrome/138.0.0.0 Safari/537.36",
            "tablet",
            "Android",
        ),
        ("Mozilla/5.0 (iPad; CPU OS 17_7 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148", "tablet", "iOS"),
        (
            "Mozilla/5.0 (Web0S; Linux/SmartTV) AppleWebKit/537.36 Chrome/120.0.6099.270 Safari/537.36 WebAppManager",
            "tv",
            "Web0S",
        ),
        (
            "Mozilla/5.0 (PlayStation; PlayStation 5/6.50) AppleWebKit/605.1.15 Version/15.4 Safari/605.1.15",
            "console",
            "",
        ),
        ("atc/1.0 watchOS/5.2 model/Watch4,4 hwp/t8006 build/16T225 (6; dt:193)", "watch", "WatchOS"),
        ("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", "bot", ""),
        ("akka-http/10.0.10", "other", ""),
    ],
)
def test_kind_and_system(user_agent: str, kind: str, os: str) -> None:
    found = device_of(user_agent)
    assert (found.kind, found.os) == (kind, os)


def test_no_user_agent_tells_nothing() -> None:
    assert device_of("") == Device("", "", "", "", "")


def test_rules_load_when_asked_first() -> None:
    code = (
        "import sys, percorso.events.devices as d; d.device_of('');"
        "sys.exit(d._resolver.cache_info().currsize or 'ua_parser_builtins.regexes' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
