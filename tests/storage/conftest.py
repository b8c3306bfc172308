"""A server of objects for the session, and workspaces whose lake and log stand there."""

from __future__ import annotations

import subprocess
import sys
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from percorso.services.workspace import Workspace, open_workspace
from percorso.store.objects import ObjectPath, ObjectStore
from tests.storage import server as program
from tests.workspaces import make_workspace


@dataclass(frozen=True)
class Server:
    """A server that is running on this machine, and what copies of its objects may take."""

    endpoint: str
    cache: Path
    cache_bytes: int = 1_000_000_000

    def bucket(self, name: str = "shop") -> str:
        """A new bucket, which is empty."""
        made = f"{name}-{uuid.uuid4().hex[:12]}"
        urllib.request.urlopen(urllib.request.Request(f"{self.endpoint}/{made}", method="PUT")).close()
        return made

    def folder(self, bucket: str | None = None) -> ObjectPath:
        """A folder in a bucket; without one, in a new one."""
        root = f"s3://{bucket or self.bucket()}"
        store = ObjectStore(root, self.endpoint, "", True, str(self.cache), self.cache_bytes)
        return ObjectPath(store, "a/b")


@pytest.fixture(scope="session")
def endpoint() -> Iterator[str]:
    with subprocess.Popen(
        [sys.executable, program.__file__], stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        process.terminate()


@pytest.fixture(autouse=True)
def _credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_REGION", "AWS_ENDPOINT_URL", "AWS_PROFILE", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", program.KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", program.SECRET)


@pytest.fixture
def server(endpoint: str, tmp_path: Path) -> Server:
    return Server(endpoint, tmp_path / "cache")


@pytest.fixture
def remote(server: Server, tmp_path: Path) -> Callable[..., Workspace]:
    """Makes workspaces with lake and log in the server's buckets."""

    def made(name: str = "remote", *, bucket: str | None = None, **changes: str) -> Workspace:
        workspace = make_workspace(tmp_path / name)
        found = bucket or server.bucket()
        values = {
            "lake": f'"s3://{found}/brand/lake"',
            "log": f'"s3://{found}/brand/log"',
            "endpoint": f'"{server.endpoint}"',
            "allow_http": "true",
            "cache": f'"{server.cache}"',
            **changes,
        }
        path = workspace.folder / "percorso.toml"
        before, head, rest = path.read_text(encoding="utf-8").partition("[storage]\n")
        kept = [line for line in rest.splitlines() if line.partition(" = ")[0] not in values]
        lines = [*(f"{key} = {value}" for key, value in values.items()), *kept]
        path.write_text(before + head + "\n".join(lines) + "\n", encoding="utf-8")
        (workspace.folder / "secret.key").write_bytes(b"k" * 32)
        return open_workspace(workspace.folder)

    return made
