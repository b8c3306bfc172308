"""Make the pictures of the README and the docs: `make pictures`.

    python scripts/pictures.py [WORKSPACE]

Without a workspace the demo shop is made first, in each language. Chromium draws the map and the report; what the
terminal shows is read from a pseudo-terminal of 100 columns. Nothing is fetched from another host.
"""

from __future__ import annotations

import os
import pty
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.text import Text

ROOT = Path(__file__).resolve().parents[1]
TARGET = ROOT / "docs" / "img"
PERCORSO = str(Path(sys.executable).with_name("percorso"))
LANGUAGES = ("en", "it")
COLUMNS = 100

SHOWN_KPIS = (
    *("revenue", "orders", "average_order_value", "new_persons", "conversion_rate", "cart_abandonment"),
    *("time_to_convert", "repeat_purchase_180", "late_delivery", "nps"),
)
STEPS = ("--step", "Product Viewed", "--step", "Product Added", "--step", "Order Completed")

#: What the terminal shows, by the name of its picture.
SCREENS = {
    "kpis": ("kpis", "--last", "90d", "--compare", "previous", *(f"--kpi={kpi}" for kpi in SHOWN_KPIS)),
    "funnel": ("funnel", *STEPS, "--within", "7d"),
    "channels": ("channels",),
}
_FONT_FACE = re.compile(r"@font-face\s*\{.*?\}", re.DOTALL)


def browser() -> str:
    """Chromium by one of its names."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if found := shutil.which(name):
            return found
    raise SystemExit("Chromium is not installed. On Debian and Ubuntu: apt install chromium")


def draw(page: Path, picture: Path, width: int, height: int, *, scale: float = 1.0) -> None:
    """A page as PNG; no host can be reached meanwhile."""
    with tempfile.TemporaryDirectory() as profile:
        command = [
            *(browser(), "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"),
            *("--host-resolver-rules=MAP * ~NOTFOUND", f"--user-data-dir={profile}", f"--window-size={width},{height}"),
            *(f"--force-device-scale-factor={scale}", f"--screenshot={picture}", page.as_uri()),
        ]
        subprocess.run(command, check=True, capture_output=True, timeout=120)
    print(f"{picture.relative_to(ROOT)}  {picture.stat().st_size / 1000:.0f} kB")


def terminal(arguments: Sequence[str]) -> str:
    """What a command writes on a terminal of 100 columns, with its colours."""
    parent, child = pty.openpty()
    environment = {**os.environ, "COLUMNS": str(COLUMNS), "LINES": "60", "TERM": "xterm-256color"}
    with subprocess.Popen([PERCORSO, *arguments], stdout=child, stderr=subprocess.DEVNULL, env=environment) as process:
        os.close(child)
        parts = []
        try:
            while piece := os.read(parent, 65_536):
                parts.append(piece)
        except OSError:  # the terminal is gone when the command has ended
            pass
        if process.wait():
            raise SystemExit(f"percorso {' '.join(arguments)} failed")
    os.close(parent)
    return b"".join(parts).decode().replace("\r\n", "\n")


def size_of(svg: str) -> tuple[int, int]:
    """Width and height of a picture."""
    size = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', svg)
    assert size is not None
    return round(float(size[1])), round(float(size[2]))


def screen(workspace: Path, name: str, arguments: Sequence[str], language: str, scratch: Path) -> None:
    """The picture of a command and its answer."""
    words = " ".join(f'"{word}"' if " " in word else word for word in arguments)
    console = Console(record=True, width=COLUMNS, file=open(os.devnull, "w"))  # noqa: SIM115 -- nothing is written to it
    console.print(Text(f"$ percorso {words}", style="bold"))
    console.print(Text.from_ansi(terminal(["--language", language, "-w", str(workspace), *arguments])))
    svg = _FONT_FACE.sub("", console.export_svg(title="percorso"))
    file = scratch / f"{name}.svg"
    file.write_text(svg, encoding="utf-8")
    draw(file, TARGET / f"{name}-{language}.png", *size_of(svg))


def main() -> None:
    scratch = Path(tempfile.mkdtemp(prefix="percorso-pictures-"))
    try:
        TARGET.mkdir(parents=True, exist_ok=True)
        for language in LANGUAGES:
            if len(sys.argv) > 1:
                workspace = Path(sys.argv[1]).absolute()
            else:  # one for each language: what its team wrote is in that language
                folder = scratch / f"demo-{language}"
                command = [PERCORSO, "demo", "--language", language, "--folder", str(folder), "--no-open"]
                subprocess.run(command, check=True)
                workspace = folder / "workspace"
            run, poster = [PERCORSO, "-w", str(workspace)], scratch / "map.svg"
            subprocess.run([*run, "map", "--language", language, "--output", str(poster)], check=True)
            draw(poster, TARGET / f"map-{language}.png", *size_of(poster.read_text(encoding="utf-8")))
            report = scratch / f"report-{language}.html"
            subprocess.run([*run, "report", "--language", language, "--html", str(report)], check=True)
            draw(report, TARGET / f"report-{language}.png", 1100, 1900)
            for name, arguments in SCREENS.items():
                screen(workspace, name, arguments, language, scratch)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


if __name__ == "__main__":
    main()
