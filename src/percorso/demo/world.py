"""What the shop knows beside its customers: what advertising cost, what it sells, what is in stock."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

from percorso.demo.catalogue import PRODUCTS, STORES
from percorso.demo.days import Period
from percorso.demo.files import amount, euro, row
from percorso.demo.origins import ADS

__all__ = ["MONTHLY_AD_SPEND", "write_ad_costs", "write_catalogue", "write_stock"]

MONTHLY_AD_SPEND = 2_800_000  # cents, at the full number of customers


def write_ad_costs(folder: Path, period: Period, clicks: Counter[tuple[int, str]], scale: float) -> tuple[Path, int]:
    """One row a day and campaign: each campaign's share of the budget, spread over days as its clicks are."""
    total: Counter[str] = Counter()
    for (day, name), count in clicks.items():
        if 0 <= day < period.n_days:
            total[name] += count
    rows = ["day,source,medium,campaign,cost,impressions,clicks,currency\r\n"]
    for (day, name), count in sorted(clicks.items()):
        if 0 <= day < period.n_days:
            ad = ADS[name]
            cents = round(MONTHLY_AD_SPEND * period.months * scale * ad.share * count / total[name])
            shown = round(count / ad.click_ratio)
            cells = (period.days[day].isoformat(), ad.source, ad.medium, name, amount(cents), str(shown), str(count))
            rows.append(row(",", *cells, "EUR"))
    return _written(folder / "costi-pubblicita.csv", rows)


def write_catalogue(folder: Path) -> tuple[Path, int]:
    """Articles with price and cost, which is without tax."""
    rows = ["Articolo;Descrizione;Reparto;Prezzo;Costo;Ingombrante\r\n"]
    for product in PRODUCTS:
        bulky = "sì" if product.bulky else "no"
        cells = (product.sku, product.name, product.category, euro(product.price), euro(product.cost), bulky)
        rows.append(row(";", *cells))
    return _written(folder / "catalogo.csv", rows)


def write_stock(folder: Path, period: Period, seed: int) -> tuple[Path, int]:
    """Pieces by shop and day, as counted at closing time."""
    rng = random.Random(f"legnocorda:{seed}:stock")
    stock = {(store, product.sku): rng.randrange(2, 14) for store in STORES for product in PRODUCTS}
    rows = ["Giorno;Negozio;Articolo;Giacenza\r\n"]
    for day, is_open in zip(period.days[: period.n_days], period.is_open, strict=False):
        for (store, sku), pieces in stock.items():
            if is_open:
                left = pieces - (rng.random() < 0.3) - (rng.random() < 0.1)
                stock[store, sku] = rng.randrange(6, 14) if left <= 0 and rng.random() < 0.6 else max(left, 0)
            rows.append(f"{day:%d/%m/%Y};{store};{sku};{stock[store, sku]}\r\n")
    return _written(folder / "giacenze.csv", rows)


def _written(path: Path, rows: list[str]) -> tuple[Path, int]:
    path.write_bytes("".join(rows).encode())
    return path, len(rows) - 1
