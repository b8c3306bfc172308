"""Newsletters, automatic mails and text messages, and the visits that come of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

from percorso.demo.days import DAY, HOUR, MINUTE, Period
from percorso.demo.files import row
from percorso.demo.messages import Visit
from percorso.demo.origins import ORIGINS, Origin, mail_origin
from percorso.demo.people import Customer
from percorso.demo.scene import Scene
from percorso.demo.visits import wander

__all__ = ["MAILINGS", "Mailing", "mail_row", "mailings", "origin_of", "send_newsletters", "send_text"]

OPENED = 0.31
CLICKED = 0.036
BOUNCED = 0.004
UNSUBSCRIBED = 0.0015

#: Campaigns of every year: name, month, day, hour.
MAILINGS = (
    ("ritorno-a-scuola", 9, 3, 9), ("ritorno-a-scuola-2", 9, 12, 17), ("settimana-delle-corde", 2, 10, 9),
    ("settimana-delle-corde-ultimo-giorno", 2, 15, 18), ("liutai-in-negozio", 10, 15, 9), ("black-friday", 11, 27, 8),
    ("black-friday-ultime-ore", 11, 29, 18), ("natale", 12, 5, 9), ("natale-ultimi-giorni", 12, 16, 9),
    ("liutai-in-negozio-primavera", 4, 9, 9), ("chiusi-per-ferie", 8, 5, 9),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Mailing:
    """A newsletter: its campaign and when it goes out."""

    name: str
    time: int


@lru_cache(maxsize=4)
def mailings(period: Period) -> tuple[Mailing, ...]:
    """All newsletters of the period: the campaigns, and one every second Thursday."""
    sent = [
        Mailing(name, period.number(date(year, month, day)) * DAY + hour * HOUR)
        for year in (2024, 2025, 2026)
        for name, month, day, hour in MAILINGS
    ]
    day = date(2024, 9, 5)
    while day < period.end_day:
        sent.append(Mailing(f"notizie-{day:%Y-%m-%d}", period.number(day) * DAY + 18 * HOUR))
        day += timedelta(days=14)
    return tuple(sorted((mail for mail in sent if 0 < mail.time < period.end), key=lambda mail: mail.time))


@lru_cache(maxsize=512)
def origin_of(name: str) -> Origin:
    """A click in that mailing."""
    return mail_origin(name)


def mail_row(scene: Scene, t: int, name: str, address: str, action: str) -> None:
    """One thing that happened to an e-mail."""
    scene.rows["mail"].append((t, f"{scene.period.utc(t)},{name},{address},{action}\r\n"))


def send_text(scene: Scene, person: Customer, t: int, name: str) -> None:
    """A text message."""
    when = scene.period.utc(t)
    scene.rows["sms"].append((t, row(",", when, name, person.telephone, "inviato")))


def send_newsletters(scene: Scene, person: Customer, since: int) -> None:
    """All newsletters to a subscriber, until they unsubscribe; clicks open visits."""
    random = scene.rng.random
    rows, utc, address = scene.rows["mail"], scene.period.utc, person.email
    for mail in mailings(scene.period):
        if mail.time < since:
            continue
        t = mail.time + int(20 * MINUTE * random())
        u = random()
        if u < BOUNCED:
            rows.append((t, f"{utc(t)},{mail.name},{address},rimbalzata\r\n"))
            continue
        rows.append((t, f"{utc(t)},{mail.name},{address},inviata\r\n"))
        if u > BOUNCED + OPENED:
            continue
        seen = t + int(30 * HOUR * random() * random())
        rows.append((seen, f"{utc(seen)},{mail.name},{address},aperta\r\n"))
        if u < BOUNCED + CLICKED:
            _click(scene, person, mail, seen + 20_000)
        elif u > BOUNCED + OPENED - UNSUBSCRIBED:
            rows.append((seen + 9_000, f"{utc(seen + 9_000)},{mail.name},{address},disiscritto\r\n"))
            return
    if person.sms:
        for year in (2024, 2025):
            t = scene.period.number(date(year, 11, 28)) * DAY + 9 * HOUR + int(HOUR * random())
            if since < t < scene.period.end:
                send_text(scene, person, t, "black-friday")
                if random() < 0.05:
                    wander(scene, Visit(scene, person.phone(t), t + HOUR, ORIGINS["sms"]), person.persona.site_goods, 3)


def _click(scene: Scene, person: Customer, mail: Mailing, t: int) -> None:
    mail_row(scene, t, mail.name, person.email, "cliccata")
    device = person.phone(t) if scene.rng.random() < 0.7 else person.desktop
    visit = Visit(scene, device, t + 2_000, origin_of(mail.name))
    wander(scene, visit, person.persona.site_goods, int(scene.rng.random() * 6))
