"""What a user agent says of the device: kind, system, browser, brand and model.

System, browser, brand and model are those of ua-parser (uap-core); the kind is ours, from what ua-parser
found and from words in the user agent. An iPad that asks for desktop pages calls itself a Mac and counts
as a desktop: nothing in the text tells the two apart.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from ua_parser import BestAvailableResolver, Domain, Resolver, load_lazy_builtins

__all__ = ["DEVICE_KINDS", "Device", "device_of"]

DEVICE_KINDS = ("desktop", "mobile", "tablet", "tv", "watch", "console", "bot", "other")


@dataclass(frozen=True, slots=True)
class Device:
    """A device, as far as its user agent tells; "" where it does not."""

    kind: str  # one of DEVICE_KINDS, "" where no user agent was sent
    os: str  # without version: "iOS", "Windows"
    browser: str  # without version: "Chrome Mobile"
    brand: str
    model: str


_DESKTOP_SYSTEMS = frozenset(
    {
        "Windows",
        "Mac OS X",
        "Mac OS",
        "Linux",
        "Ubuntu",
        "Debian",
        "Fedora",
        "Red Hat",
        "SUSE",
        "Gentoo",
        "Mandriva",
        "CentOS",
        "Slackware",
        "Kubuntu",
        "Linux Mint",
        "Arch Linux",
        "Puppy",
        "Raspbian",
        "Chrome OS",
        "FreeBSD",
        "NetBSD",
        "OpenBSD",
        "BSD",
        "Solaris",
        "SerenityOS",
    }
)
_PHONE_SYSTEMS = frozenset(
    {
        "iOS",
        "Windows Phone",
        "Windows Mobile",
        "Symbian OS",
        "Symbian^3",
        "Symbian^3 Anna",
        "Symbian^3 Belle",
        "BlackBerry OS",
        "Firefox OS",
        "KaiOS",
        "Bada",
        "BREW",
        "Brew MP",
        "MeeGo",
        "Maemo",
        "Sailfish",
        "Nokia Series 40",
        "Nokia Series 30 Plus",
        "HarmonyOS",
    }
)

#: Devices that apps and proxies name in many ways, by the beginning of ua-parser's family.
_FAMILIES = (
    ("iPad", "tablet"),
    ("iPhone", "mobile"),
    ("iPod", "mobile"),
    ("Kindle", "tablet"),
    ("PlayStation", "console"),
)
_WATCH = re.compile(r"watchOS|\bWatch\d+,\d|\bGalaxy Watch|\bSM-R\d{3}\b|Wear ?OS")
_CONSOLE = re.compile(r"PlayStation|PLAYSTATION|\bXbox\b|Nintendo", re.IGNORECASE)
_TV = re.compile(
    r"Smart-?TV|HbbTV|Apple ?TV|tvOS|Google ?TV|Android ?TV|\bRoku\b|\bCrKey\b|BRAVIA|NetCast|Web0S|WebTV"
    r"|\bDTV\b|\bAFT[A-Z]{1,4}\b|Large Screen|\bMiBOX|\bSHIELD Android TV|DuneHD|Viera|InettvBrowser|NETTV|Opera TV",
    re.IGNORECASE,
)
_TABLET = re.compile(
    r"\biPad\b|Tablet(?! PC)|PlayBook|\bKindle\b|\bKF[A-Z]{2,5}\b|\bSilk/|\bNexus (?:7|9|10)\b"
    r"|\bSM-[TXP]\d{3}|\bGT-(?:P\d|N[58])\d{3}|\bXoom\b|\bTouchPad\b|TF\d{3}T?\b|\bLenovo (?:TB|YT)"
    r"|\b(?:Media|Mi|Xiaomi|Realme|Redmi|Honor|Idea|One|Oppo) ?Pad\b",
    re.IGNORECASE,
)
_PHONE = re.compile(
    r"\bMobile\b|\bPhone\b|iPhone|iPod|Opera Mini|Opera Mobi|MIDP|UP\.Browser|IEMobile|\bNokia|BlackBerry|\bBB10\b",
    re.IGNORECASE,
)
_DESKTOP = re.compile(r"Macintosh|Windows NT|\bX11\b")
#: Android's own HTTP client and apps that name the phone say no "Mobile", so that its absence says nothing.
_BROWSER = re.compile(r"AppleWebKit/|Gecko/")


@lru_cache(maxsize=1)
def _resolver() -> Resolver:
    """ua-parser's rules; loading them takes a quarter of a second, so nobody waits for it unasked."""
    return BestAvailableResolver(load_lazy_builtins())


def _kind(user_agent: str, os: str, device: str) -> str:
    if device == "Spider":
        return "bot"
    for beginning, kind in _FAMILIES:
        if device.startswith(beginning):
            return kind
    if _WATCH.search(user_agent):
        return "watch"
    if _CONSOLE.search(user_agent):
        return "console"
    if _TV.search(user_agent) or os.startswith("Chromecast"):
        return "tv"
    if _TABLET.search(user_agent):
        return "tablet"
    if os == "Android" and not _PHONE.search(user_agent):
        return "tablet" if _BROWSER.search(user_agent) else "mobile"
    if os == "Android" or os in _PHONE_SYSTEMS or _PHONE.search(user_agent):
        return "mobile"
    if os in _DESKTOP_SYSTEMS or _DESKTOP.search(user_agent):
        return "desktop"
    return "mobile" if device not in ("", "Other") else "other"


def device_of(user_agent: str) -> Device:
    """The device behind a user agent.

    Parameters
    ----------
    user_agent : str
        As sent; "" gives a Device of empty texts.

    Examples
    --------
    >>> device_of("Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) Version/18.5 Mobile/15E148 Safari/604.1")
    Device(kind='mobile', os='iOS', browser='Mobile Safari', brand='Apple', model='iPhone')
    """
    if not user_agent:
        return Device("", "", "", "", "")
    found = _resolver()(user_agent, Domain.ALL)
    os = found.os.family if found.os else ""
    browser = found.user_agent.family if found.user_agent else ""
    device = found.device
    return Device(
        _kind(user_agent, os, device.family if device else ""),
        "" if os == "Other" else os,
        "" if browser == "Other" else browser,
        (device.brand or "") if device else "",
        (device.model or "") if device else "",
    )
