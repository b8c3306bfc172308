"""Research online, buy in store, in plain Python: the twin of percorso.analyses.researched. The rest is channels.py."""

from __future__ import annotations

from tests.naive.channels import Asked, Log

ONLINE, STORE = ("site", "app"), ("store",)
WAYS = {"online, then store": (STORE, ONLINE), "store, then online": (ONLINE, STORE)}


def researched(log: Log, asked: Asked) -> dict[str, tuple[int, int, int]]:
    """For each way: orders, those of known category, those researched."""
    events = {event.at: event for event in log.events}
    known = [event for event in log.events if event.person and asked.known(event, log)]
    found = {}
    for way, (bought, looked) in WAYS.items():
        numbers = [0, 0, 0]
        for order in log.orders:
            event = events[order.at]
            if not order.person or event not in known or not asked.inside(event.time):
                continue
            if event.coded["place"] not in bought:
                continue
            before = [e for e in known if e.journey is not None and e.journey == order.purchase and e.at < event.at]
            hits = [e for e in before if e.inbound and e.coded["place"] in looked and e.categories & event.categories]
            numbers = [numbers[0] + 1, numbers[1] + bool(event.categories), numbers[2] + bool(hits)]
        found[way] = (numbers[0], numbers[1], numbers[2])
    return found
