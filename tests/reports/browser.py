"""A real Chromium, without a window and without a network, for tests of pages."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

__all__ = ["browser", "print_page", "requests_of"]

_NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
_OFFLINE = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-default-apps", "--disable-sync", "--metrics-recording-only"),
    *("--host-resolver-rules=MAP * ~NOTFOUND", "--virtual-time-budget=4000"),
)


def browser() -> str:
    """Its command. Without one a test is skipped on a developer's machine and fails where CI=true."""
    found = next((path for name in _NAMES if (path := shutil.which(name))), "")
    if not found:
        told = "there is no Chromium: scripts/setup.sh browser"
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(told)
    return found


def _run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    command = [browser(), *_OFFLINE, f"--user-data-dir={folder / 'profile'}", *arguments]
    return subprocess.run(command, capture_output=True, check=True, timeout=120)


def requests_of(page: Path, folder: Path) -> list[str]:
    """Every address that the browser asked for while it showed the page, as its own network log has them."""
    log = folder / "net.json"
    _run(folder, f"--log-net-log={log}", "--net-log-capture-mode=Everything", "--dump-dom", page.as_uri())
    asked = re.findall(r'"url":"([^"]+)"', log.read_text(encoding="utf-8", errors="replace"))
    return sorted({url for url in asked if url.split(":")[0] in ("http", "https", "ws", "wss", "ftp")})


def print_page(page: Path, folder: Path) -> list[tuple[int, int]]:
    """Width and height in mm of each page of the printed PDF."""
    target = folder / "page.pdf"
    _run(folder, "--no-pdf-header-footer", f"--print-to-pdf={target}", page.as_uri())
    boxes = re.findall(rb"/MediaBox\s*\[\s*0\s+0\s+([\d.]+)\s+([\d.]+)\s*\]", target.read_bytes())
    return [(round(float(wide) * 25.4 / 72), round(float(high) * 25.4 / 72)) for wide, high in boxes]
