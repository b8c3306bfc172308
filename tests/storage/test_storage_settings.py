"""What `[storage]` may say, and what it must not hold."""

from __future__ import annotations

from pathlib import Path

import pytest

from percorso.errors import SettingsError
from percorso.services.build import rules_fingerprint
from percorso.services.workspace import Workspace
from percorso.settings import Settings, StorageSettings, load_settings
from percorso.store.objects import ObjectPath, ObjectStore


def _read(text: str) -> Settings:
    return load_settings(f"[storage]\n{text}", where="percorso.toml")


def test_lake_and_log_stand_in_the_workspace_unless_it_says_otherwise(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path, _read('log = "/mnt/shared/log"'), b"k" * 32)
    assert (workspace.lake, workspace.log) == (tmp_path / "lake", Path("/mnt/shared/log"))


def test_addresses_become_paths_of_an_object_store(tmp_path: Path) -> None:
    text = 'lake = "s3://bucket/shop/lake/"\nendpoint = "https://objects.example:9000/"\nregion = "eu-south-1"\n'
    workspace = Workspace(tmp_path, _read(f'{text}cache = "copies"\ncache_limit = "1.5GB"'), b"k" * 32)
    store = ObjectStore(
        "s3://bucket", "https://objects.example:9000", "eu-south-1", False, str(tmp_path / "copies"), 1_500_000_000
    )
    assert workspace.lake == ObjectPath(store, "shop/lake")
    azure = Workspace(tmp_path, _read('lake = "abfss://box@shop.dfs.core.windows.net/a"'), b"k" * 32).lake
    assert str(azure) == "abfss://box@shop.dfs.core.windows.net/a"


@pytest.mark.parametrize(
    ("text", "key", "told", "hint"),
    [
        ('lake = "s3://KEYID:Sesame@bucket/a"', "lake", "must hold no credentials", "AWS_ACCESS_KEY_ID"),
        ('lake = "s3://Sesame@bucket/a"', "lake", "must hold no credentials", "AWS_ACCESS_KEY_ID"),
        ('log = "s3://bucket/a?X-Amz-Signature=Sesame"', "log", "must hold no credentials", "environment"),
        ('log = "abfss://box:Sesame@shop.dfs.core.windows.net/a"', "log", "must hold no credentials", "environment"),
        ('endpoint = "https://KEYID:Sesame@host"', "endpoint", "must hold no credentials", "environment"),
        ('access_key_id = "Sesame"', "access_key_id", "is not a setting", "AWS_ACCESS_KEY_ID"),
        ('secret_access_key = "Sesame"', "secret_access_key", "is not a setting", "environment"),
        ('lake = "ftp://Sesame/a"', "lake", "no address of an object store", "s3"),
        ('lake = "s3://bucket"', "lake", "no bucket and prefix", "s3://bucket/shop/lake"),
        ('lake = "s3://bucket/a/../b"', "lake", "no bucket and prefix", "s3://bucket/shop/lake"),
        ("lake = 7", "lake", "not a text", "s3://bucket/shop"),
        ('lake = "s3://bucket/a"\nlog = "s3://bucket/a/log"', "log", "lies in the lake", "prefix"),
        ('endpoint = "objects.example"', "endpoint", "no address of a server", "https"),
        ('endpoint = "http://objects.example"', "endpoint", "not encrypted", "allow_http"),
        ('region = "over there"', "region", "no region", "eu-south-1"),
        ('allow_http = "yes"', "allow_http", "is neither", "true or false"),
        ('cache_limit = "much"', "cache_limit", "not a size", "20GB"),
        ('cache_limit = "0GB"', "cache_limit", "not a size", "20GB"),
    ],
)
def test_what_cannot_be_is_refused_without_repeating_it(text: str, key: str, told: str, hint: str) -> None:
    with pytest.raises(SettingsError, match=told) as caught:
        _read(text)
    assert hint in caught.value.hint
    assert caught.value.fields["key"] == f"storage.{key}"
    assert "Sesame" not in str(caught.value.as_dict())


def test_an_open_endpoint_must_be_wanted() -> None:
    found = _read('endpoint = "http://127.0.0.1:9000"\nallow_http = true').storage
    assert found == StorageSettings(endpoint="http://127.0.0.1:9000", allow_http=True)


def test_where_files_stand_is_no_rule() -> None:
    assert rules_fingerprint(_read('lake = "s3://bucket/a"')) == rules_fingerprint(Settings())
