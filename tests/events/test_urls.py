"""Where a visit comes from, as its URL says it."""

from __future__ import annotations

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from percorso.events.event import CLICK_IDS
from percorso.events.urls import UTM_COLUMNS, with_url_origin
from tests.naive import url_params as naive


def _table(urls: list[str | None], **given_columns: list[str | None]) -> pa.Table:
    columns = {name: given_columns.get(name, [None] * len(urls)) for name in (*UTM_COLUMNS, "click_id")}
    schema = pa.schema([(name, pa.string()) for name in ("url", *UTM_COLUMNS, "click_id")])
    return pa.table({"url": urls, **columns}, schema=schema)


def _origin(url: str | None, **given_columns: str | None) -> dict[str, str]:
    row = with_url_origin(_table([url], **{name: [value] for name, value in given_columns.items()})).to_pylist()[0]
    return {name: value for name, value in row.items() if value is not None and name != "url"}


def test_parameters_are_read_and_decoded() -> None:
    url = (
        "https://shop.example/?utm_source=news%20letter&UTM_Medium=e+mail&utm_campaign=caff%C3%A8&gclid=abc#utm_term=x"
    )
    assert _origin(url) == {
        "utm_source": "news letter",
        "utm_medium": "e mail",
        "utm_campaign": "caffè",
        "click_id": "gclid",
    }


def test_a_url_without_parameters_says_nothing() -> None:
    for url in (None, "", "https://shop.example/utm_source=x", "https://shop.example/?", "/?utm_source=&utm_medium"):
        assert _origin(url) == {}


def test_what_the_sender_says_counts_as_a_whole() -> None:
    url = "https://shop.example/?utm_source=google&utm_medium=cpc&utm_term=shoes&fbclid=1"
    assert _origin(url, utm_campaign="mine") == {"utm_campaign": "mine", "click_id": "fbclid"}
    assert _origin(url, click_id="gclid")["click_id"] == "gclid"
    assert _origin(url, click_id="gclid")["utm_source"] == "google"


def test_the_url_stays_as_it_came() -> None:
    url = "https://shop.example/?email=a%40b.it&utm_source=x"
    assert with_url_origin(_table([url])).column("url").to_pylist() == [url]


_PIECE = st.sampled_from(
    ["utm_source", "utm_medium", "UTM_TERM", "gclid", "fbclid", "x", "=", "&", "?", "#", "%20", "%", "+", "é", "/"]
)


@given(st.lists(st.none() | st.lists(_PIECE, max_size=12).map("".join), max_size=8))
def test_origins_equal_the_twin(urls: list[str | None]) -> None:
    rows = with_url_origin(_table(urls)).to_pylist()
    for url, row in zip(urls, rows, strict=True):
        values, click = naive.parameters(url or "", UTM_COLUMNS, list(CLICK_IDS))
        assert [row[name] for name in UTM_COLUMNS] == values
        assert row["click_id"] == click
