"""Cleaned paths."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from percorso.journeys.pages import MAX_PAGE_LENGTH, page_of, page_touchpoint
from percorso.settings import PathRule


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("https://www.shop.example", "/"),
        ("https://www.shop.example/", "/"),
        ("https://www.shop.example/index.php?x=1", "/"),
        ("https://www.shop.example/Prodotti/", "/prodotti"),
        ("https://www.shop.example/prodotti?page=2#top", "/prodotti"),
        ("https://www.shop.example/prodotti/40213", "/prodotti/*"),
        ("https://www.shop.example/prodotti/sedia-rossa-40213.html", "/prodotti/sedia-rossa-*"),
        ("https://www.shop.example/prodotti/sedia-rossa.html", "/prodotti/sedia-rossa"),
        ("https://www.shop.example/p/iphone-15", "/p/iphone-15"),
        ("https://www.shop.example/p40213", "/*"),
        ("/order/3F2504E0-4F89-11D3-9A0C-0305E82C3301/items", "/order/*/items"),
        ("/checkouts/c/9f8e7d6c5b4a3f2e1d0c/thank_you", "/checkouts/c/*/thank_you"),
        ("/conferma/anna.rossi%40example.org", "/conferma/*"),
        ("/conferma/anna@example.org/ok", "/conferma/*/ok"),
        ("/caff%C3%A8/Nero", "/caffè/nero"),
        ("https://app.shop.example/#/cart/4021", "/cart/*"),
        ("https://app.shop.example/#!/cart", "/cart"),
        ("https://app.shop.example/a#section", "/a"),
        ("//cdn.shop.example//a//b/", "/a/b"),
        ("?only=query", "/"),
        ("", ""),
        ("   ", ""),
        ("myapp://products/40213", "/*"),
    ],
)
def test_page_of(url: str, path: str) -> None:
    assert page_of(url) == path


def test_a_path_is_cut() -> None:
    assert len(page_of("/" + "very-long/" * 100)) == MAX_PAGE_LENGTH


@settings(deadline=None)
@given(st.text())
def test_whatever_comes_is_a_path_or_nothing(url: str) -> None:
    path = page_of(url)
    assert path == "" or path.startswith("/")
    assert len(path) <= MAX_PAGE_LENGTH
    assert "@" not in path
    assert page_of(path) == path or len(path) == MAX_PAGE_LENGTH or "%" in path or "?" in path or "#" in path


def test_own_rules_see_the_cleaned_path_in_any_case() -> None:
    rules = (PathRule(r"^/Chitarre/.*-\*$", "product page"),)
    assert page_touchpoint(page_of("/chitarre/alba-40213.html"), rules).touchpoint == "product page"
    assert page_touchpoint("/chitarre", rules).touchpoint == ""
