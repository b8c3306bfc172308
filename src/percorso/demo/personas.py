"""The five kinds of customers: how many they are, what they buy, how they arrive, where they buy."""

from __future__ import annotations

from dataclasses import dataclass

from percorso.demo.catalogue import Product, products

__all__ = ["PERSONAS", "Persona"]


@dataclass(frozen=True, slots=True)
class Persona:
    """A kind of customer.

    Parameters
    ----------
    purchases : float
        How often they set out to buy in 13 months, on average; at least once.
    online, phone : float
        Shares of purchases on site or app, and at the order desk; the rest is in the shops.
    site_goods, shop_goods : tuple of Product
        What they buy there; a product that stands twice is bought twice as often.
    first, later : tuple of str
        Origins of the first visit to the site, and of later ones.
    visits : tuple of int
        Least and most visits before a purchase.
    idle : float
        Visits a year that lead to nothing.
    """

    name: str
    share: float
    purchases: float
    online: float
    phone: float
    site_goods: tuple[Product, ...]
    shop_goods: tuple[Product, ...]
    first: tuple[str, ...]
    later: tuple[str, ...]
    visits: tuple[int, int]
    idle: float
    app: float  # share who have the app
    account: float
    card: float
    newsletter: float
    asks: float  # share of purchases before which they ask in chat or call
    lines: tuple[int, ...]  # how many different things they buy at once
    school: bool = False


PERSONAS = (
    Persona(
        name="school parent", share=0.22, purchases=1.45, online=0.3, phone=0.03,
        site_goods=products("FL-SO-01 FL-SO-01 ME-32-01 TA-61-01 CH-CL-34 UK-SO-01 VI-12-01 LE-PI-01 LI-SO-01"),
        shop_goods=products(
            "FL-SO-01 FL-SO-01 FL-SO-01 FL-SO-01 FL-SO-01 ME-32-01 ME-32-01 ME-32-01 UK-SO-01 UK-SO-01 TA-61-01 "
            "CH-CL-34 CH-CL-34 VI-12-01 LE-PI-01 LE-PI-01 LI-SO-01 LI-SO-01"
        ),
        first=("search", "search", "shopping", "prices"), later=("direct", "search", "brand"),
        visits=(1, 4), idle=1.5, app=0.06, account=0.45, card=0.6, newsletter=0.45, asks=0.45, lines=(1, 1, 2),
        school=True,
    ),
    Persona(
        name="beginner", share=0.31, purchases=1.8, online=0.64, phone=0.08,
        site_goods=products(
            "CH-AC-10 CH-AC-10 CH-AC-10 CH-EL-20 CH-EL-20 CH-KIT-1 CH-CL-44 CH-CL-44 CH-AC-30 BA-EL-05 PI-88-02 "
            "AM-60-01 AM-15-01 AM-15-01 UK-SO-01 AC-CR-01 AC-CR-01 CU-CH-01 CU-CH-01 LI-ME-01 LI-ME-01 LI-PI-01 "
            "PL-MX-12 PL-MX-12 PL-MX-12 CA-JK-03 LE-PI-01 TR-CH-01"
        ),
        shop_goods=products(
            "CH-CL-34 UK-SO-01 UK-SO-01 AC-CR-01 AC-CR-01 CU-CH-01 CU-CH-01 PL-MX-12 PL-MX-12 LI-ME-01 "
            "LI-ME-01 TR-CH-01 CA-JK-03 LE-PI-01 CO-AC-12"
        ),
        first=("social", "social", "social", "video-ad", "video", "search", "shopping"),
        later=("retargeting", "retargeting", "newsletter", "brand", "brand", "video", "direct", "search"),
        visits=(3, 7), idle=3.0, app=0.16, account=0.6, card=0.5, newsletter=0.62, asks=0.2, lines=(1, 1, 1, 2),
    ),
    Persona(
        name="gigging musician", share=0.17, purchases=11.0, online=0.345, phone=0.01,
        site_goods=products(
            "CO-EL-10 CO-EL-10 CO-EL-3P CO-EL-3P CO-AC-12 CO-AC-12 CO-BA-45 RI-VA-02 RI-PU-01 RI-ME-06 AN-SA-10 "
            "BA-5A-03 CA-JK-03 PE-OV-01"
        ),
        shop_goods=products(
            "CO-EL-10 CO-EL-3P CO-EL-3P CO-AC-12 CO-AC-12 CO-BA-45 CO-BA-45 RI-VA-02 RI-VA-02 RI-PU-01 RI-ME-06 "
            "RI-ME-06 AN-SA-10 AN-SA-10 BA-5A-03 PE-OV-01 CA-JK-03 RI-PE-14"
        ),
        first=("direct", "newsletter", "instagram", "strings-ad"),
        later=("direct", "direct", "newsletter", "strings-ad"),
        visits=(1, 2), idle=7.0, app=0.8, account=0.9, card=0.88, newsletter=0.66, asks=0.03, lines=(1, 2, 2, 3),
    ),
    Persona(
        name="teacher", share=0.05, purchases=4.4, online=0.42, phone=0.04,
        site_goods=products("LI-ME-01 LI-SO-01 LI-PI-01 CO-VI-44 CO-AC-12 FL-SO-01 LE-PI-01 VI-44-01 CH-AC-30"),
        shop_goods=products(
            "LI-ME-01 LI-SO-01 LI-PI-01 CO-VI-44 CO-VI-44 AN-SA-10 LE-PI-01 FL-SO-01 VI-12-01 CL-SI-01"
        ),
        first=("direct", "organic-social", "forum"), later=("direct", "newsletter", "forum"),
        visits=(1, 3), idle=5.0, app=0.3, account=0.85, card=0.88, newsletter=0.75, asks=0.08, lines=(1, 2, 2),
    ),
    Persona(
        name="occasional", share=0.25, purchases=2.0, online=0.42, phone=0.03,
        site_goods=products(
            "CH-AC-10 CH-EL-40 CH-EL-20 CH-CL-44 AM-60-01 AM-60-01 AM-BA-10 BT-CAJ-1 PI-88-02 VI-44-01 FL-TR-01 "
            "TA-25-01 PE-OV-01 CU-CH-01 AC-CR-01 CA-JK-03 CO-AC-12 CO-EL-10 LI-PI-01 PL-MX-12 TR-CH-01"
        ),
        shop_goods=products(
            "UK-SO-01 PE-OV-01 CU-CH-01 CU-CH-01 AC-CR-01 AC-CR-01 CA-JK-03 CA-JK-03 CO-AC-12 CO-EL-10 CO-EL-3P "
            "LI-PI-01 PL-MX-12 TR-CH-01 TA-25-01"
        ),
        first=("search", "search", "prices", "organic-social", "forum", "shopping", "assistant", "bing"),
        later=("direct", "search", "brand", "retargeting"),
        visits=(1, 4), idle=2.0, app=0.1, account=0.45, card=0.52, newsletter=0.35, asks=0.1, lines=(1, 1, 2),
    ),
)  # fmt: skip
