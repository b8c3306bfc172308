"""Fixtures of tests about contacts: a few small shops, each built once, and workspaces of real data."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from percorso.services.import_request import ImportRequest
from percorso.services.imports import import_files
from percorso.services.workspace import Workspace, init_workspace
from percorso.store.journey_log import JourneyLog
from tests.analyses.contact_logs import build_shop, plain_log, random_rows
from tests.naive.channels import Log

__all__ = ["N_SHOPS", "real", "shops"]

#: Shops that tests choose from; the first has no events at all.
N_SHOPS = 16

_EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
_FILES = {
    "retentioneering_ecom": (("ecom.csv.gz", "mapping.toml"),),
    "completejourney": (
        ("transactions.parquet", "transactions.toml"),
        ("campaigns.parquet", "campaigns.toml"),
        ("coupon_redemptions.parquet", "coupon_redemptions.toml"),
    ),
}


@pytest.fixture(scope="module")
def shops(memory: Path) -> Iterator[Callable[[int], tuple[JourneyLog, Log]]]:
    """The log of a shop by its number, and the same as the plain twins take it."""
    with TemporaryDirectory(dir=memory) as folder:

        @functools.cache
        def shop(number: int) -> tuple[JourneyLog, Log]:
            rows = random_rows(number, most=20 + 20 * number) if number else []
            log = build_shop(Path(folder) / str(number), rows)
            return log, plain_log(log)

        yield shop


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory, data: Callable[[str], Path]) -> Callable[[str], Workspace]:
    """A workspace of a real data set, by its name."""

    @functools.cache
    def workspace_of(name: str) -> Workspace:
        folder = data(name)
        made = init_workspace(tmp_path_factory.mktemp(name) / "shop", currency="USD", timezone="UTC", language="en")
        for file, mapping in _FILES[name]:
            import_files(made, ImportRequest(files=(str(folder / file),), mapping=_EXAMPLES / name / mapping))
        return made

    return workspace_of
