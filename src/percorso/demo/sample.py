"""Write the sample files of Legnocorda, as its tools would export them, dirt included.

::

    python -m percorso.demo.sample DIR [--customers 300] [--seed 7]

writes into DIR

- ``web-events.ndjson``   the site's tracker: Segment messages, one a line
- ``orders_export.csv``   the shop system's order export, one line an article
- ``scontrini.csv``       the tills of six shops: semicolons, decimal commas, day/month/year, Windows letters
- ``newsletter.csv``      what happened to each e-mail sent

Equal options write equal bytes. The dirt is on purpose: repeated lines, a line cut short, robots, a device
with a wrong clock, impossible dates, unreadable amounts, malformed addresses, receipts without a card.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import random
import uuid
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlencode

from percorso.demo.deeds import Mail, Order, Receipt, Story, WebEvent
from percorso.demo.shop import SITE, Origin
from percorso.demo.story import ROME, tell

__all__ = ["main", "write_sample"]

ORDER_COLUMNS = (
    "Name", "Email", "Financial Status", "Paid at", "Fulfillment Status", "Fulfilled at", "Accepts Marketing",
    "Currency", "Subtotal", "Shipping", "Taxes", "Total", "Discount Code", "Discount Amount", "Shipping Method",
    "Created at", "Lineitem quantity", "Lineitem name", "Lineitem price", "Lineitem compare at price", "Lineitem sku",
    "Lineitem requires shipping", "Lineitem taxable", "Lineitem fulfillment status", "Billing Name", "Billing Country",
    "Billing Phone", "Notes", "Note Attributes", "Cancelled at", "Payment Method", "Refunded Amount", "Vendor",
    "Employee", "Location", "Id", "Tags", "Source", "Phone",
)  # fmt: skip

TILL_COLUMNS = (
    "Negozio", "Cassa", "Data", "Ora", "Scontrino", "Tipo", "Articolo", "Descrizione", "Reparto", "Quantità", "Prezzo",
    "Totale scontrino", "Tessera", "E-mail",
)  # fmt: skip

BAD_EMAILS = ("nessuna", "cliente@", "mario.rossi@@posta.example", "n/d", "anna rossi posta.example")


def write_sample(folder: Path, *, customers: int = 300, seed: int = 7) -> dict[str, Path]:
    """Write the four files into `folder` and return their paths by kind: web, orders, till, newsletter.

    Parameters
    ----------
    folder : Path
        Made where missing; files of the same names are replaced.
    customers : int
        People with a name. The default makes about 8 MB.
    seed : int
        Equal seeds write equal bytes.
    """
    story = tell(customers, seed)
    folder.mkdir(parents=True, exist_ok=True)
    content = {
        "web": ("web-events.ndjson", _web(story, random.Random(f"{seed}:web")).encode()),
        "orders": ("orders_export.csv", _orders(story).encode()),
        "till": ("scontrini.csv", _till(story, random.Random(f"{seed}:till")).encode("cp1252")),
        "newsletter": ("newsletter.csv", _newsletter(story, random.Random(f"{seed}:newsletter")).encode()),
    }
    for name, data in content.values():
        (folder / name).write_bytes(data)
    return {kind: folder / name for kind, (name, _) in content.items()}


def _web(story: Story, rng: random.Random) -> str:
    lines = [json.dumps(_message(event, rng), ensure_ascii=False, separators=(",", ":")) for event in story.web]
    repeated = rng.sample(lines, len(lines) // 200)  # the tracker sent them twice
    for line in repeated:
        lines.insert(rng.randrange(len(lines)), line)
    middle = len(lines) // 2
    lines.insert(middle, lines[middle][: len(lines[middle]) // 2])  # cut short by a full disk
    lines.insert(middle // 2, json.dumps({**json.loads(lines[0]), "timestamp": "ieri", "messageId": "m-senza-data"}))
    return "\n".join(lines) + "\n"


def _message(event: WebEvent, rng: random.Random) -> dict[str, object]:
    """A Segment message; the device's own clock may be wrong, the server's is not."""
    sent = event.time + timedelta(seconds=event.device.clock_error_s, milliseconds=rng.randint(1, 900))
    received = event.time + timedelta(milliseconds=rng.randint(1_000, 4_000))
    own_time = event.time + timedelta(seconds=event.device.clock_error_s)
    message: dict[str, object] = {
        "type": "track" if event.name else "page",
        "messageId": f"ajs-{uuid.UUID(int=rng.getrandbits(128), version=4)}",
        "anonymousId": event.device.anonymous_id,
        "timestamp": _iso(own_time),
        "sentAt": _iso(sent),
        "receivedAt": _iso(received),
        "context": _context(event),
        "properties": event.properties,
    }
    if event.name:
        message["event"] = event.name
    if rng.random() < 0.01:
        message["userId"] = rng.choice(("null", "undefined", "guest"))  # what a careless template sends
    return message


def _context(event: WebEvent) -> dict[str, object]:
    origin = event.origin or Origin()
    url = f"{SITE}{event.path}{_query(origin)}"
    page = {"path": event.path, "title": event.title, "url": url, "referrer": origin.referrer}
    context: dict[str, object] = {
        "library": {"name": "analytics.js", "version": "2.11.0"},
        "locale": "it-IT",
        "timezone": "Europe/Rome",
        "userAgent": event.device.user_agent,
        "page": page,
    }
    if origin.source:
        context["campaign"] = {"source": origin.source, "medium": origin.medium, "name": origin.campaign}
    if event.email:
        context["traits"] = {"email": event.email}
    return context


def _query(origin: Origin) -> str:
    values = {"utm_source": origin.source, "utm_medium": origin.medium, "utm_campaign": origin.campaign}
    if origin.click_id:
        values[origin.click_id] = "EAIaIQobChMI"
    given = {key: value for key, value in values.items() if value}
    return f"?{urlencode(given)}" if given else ""


def _orders(story: Story) -> str:
    rows = [row for order in story.orders for row in _order_rows(order)]
    return _csv(ORDER_COLUMNS, (tuple(row.get(column, "") for column in ORDER_COLUMNS) for row in rows), ",")


def _order_rows(order: Order) -> Iterator[dict[str, str]]:
    for position, (product, quantity) in enumerate(order.lines):
        line = {
            "Name": f"#{order.number}",
            "Email": order.customer.email,
            "Lineitem quantity": str(quantity),
            "Lineitem name": product.name,
            "Lineitem price": _euro(product.price_cents),
            "Lineitem sku": product.sku,
            "Lineitem requires shipping": "true",
            "Lineitem taxable": "true",
            "Lineitem fulfillment status": "pending" if order.cancelled else "fulfilled",
            "Vendor": "Legnocorda",
        }
        yield {**_order_head(order), **line} if position == 0 else line


def _order_head(order: Order) -> dict[str, str]:
    """What the export writes on an order's first line only. Prices hold 22 % tax."""
    total = order.subtotal_cents + order.shipping_cents
    customer = order.customer
    shipped = order.time + timedelta(days=1 + order.number % 3)
    status = "refunded" if order.refunded_cents >= total else "partially_refunded" if order.refunded_cents else "paid"
    return {
        "Financial Status": "voided" if order.cancelled else status,
        "Paid at": "" if order.cancelled else _rome(order.time),
        "Fulfillment Status": "unfulfilled" if order.cancelled else "fulfilled",
        "Fulfilled at": "" if order.cancelled else _rome(shipped),
        "Accepts Marketing": "yes" if customer.newsletter else "no",
        "Currency": "EUR",
        "Subtotal": _euro(order.subtotal_cents),
        "Shipping": _euro(order.shipping_cents),
        "Taxes": _euro(round(total * 22 / 122)),
        "Total": _euro(total),
        "Discount Code": order.coupon,
        "Discount Amount": _euro(order.discount_cents),
        "Shipping Method": "Corriere",
        "Created at": _rome(order.time),
        "Billing Name": f"{customer.first_name} {customer.last_name}",
        "Billing Country": "IT",
        "Billing Phone": f"'{customer.phone}",
        "Cancelled at": _rome(order.time + timedelta(hours=20)) if order.cancelled else "",
        "Payment Method": "Carta",
        "Refunded Amount": _euro(order.refunded_cents),
        "Id": str(5_400_000_000_000 + order.number),
        "Source": "web",
    }


def _till(story: Story, rng: random.Random) -> str:
    """The till's export; the number of a receipt starts again every morning."""
    counters: dict[tuple[str, str], int] = {}
    rows: list[tuple[str, ...]] = []
    for receipt in story.receipts:
        day = receipt.time.astimezone(ROME).strftime("%d/%m/%Y")
        counters[receipt.store, day] = counters.get((receipt.store, day), 0) + 1
        rows.extend(_till_rows(receipt, counters[receipt.store, day], rng))
    return _csv(TILL_COLUMNS, rows, ";")


def _till_rows(receipt: Receipt, number: int, rng: random.Random) -> Iterator[tuple[str, ...]]:
    local = receipt.time.astimezone(ROME)
    sign = -1 if receipt.returned else 1
    total = _italian(sign * sum(product.price_cents * quantity for product, quantity in receipt.lines))
    day, email = local.strftime("%d/%m/%Y"), receipt.email
    slip = rng.random()
    if slip < 0.01:
        day = "31/09/2025"
    elif slip < 0.02:
        total = "ERR#"
    elif slip < 0.05:
        email = rng.choice(BAD_EMAILS)
    for product, quantity in receipt.lines:
        name = product.name if rng.random() > 0.01 else f'{product.name}\n"ultimo pezzo"'
        yield (
            receipt.store, "1", day, local.strftime("%H:%M"), str(number), "RESO" if receipt.returned else "VENDITA",
            product.sku, name, product.category, str(sign * quantity), _italian(product.price_cents), total,
            receipt.card, email,
        )  # fmt: skip


def _newsletter(story: Story, rng: random.Random) -> str:
    rows = [_mail_row(mail) for mail in story.mails]
    for position in rng.sample(range(len(rows)), len(rows) // 200):
        rows[position] = (rows[position][0], rows[position][1], rng.choice(BAD_EMAILS), rows[position][3])
    return _csv(("quando", "campagna", "indirizzo", "azione"), rows, ",")


def _mail_row(mail: Mail) -> tuple[str, ...]:
    return (_iso(mail.time), mail.campaign, mail.address, mail.action)


def _csv(header: Sequence[str], rows: Iterable[Sequence[str]], delimiter: str) -> str:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, lineterminator="\r\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue()


def _iso(time: datetime) -> str:
    return time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _rome(time: datetime) -> str:
    return time.astimezone(ROME).strftime("%Y-%m-%d %H:%M:%S %z")


def _euro(cents: int) -> str:
    return f"{cents / 100:.2f}"


def _italian(cents: int) -> str:
    """1.249,00: a point for thousands, a comma for cents."""
    return f"{cents / 100:,.2f}".translate(str.maketrans(",.", ".,"))


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line: where to write, how much."""
    parser = argparse.ArgumentParser(
        prog="python -m percorso.demo.sample", description="Write the sample shop's files."
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--customers", type=int, default=300)
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args(arguments)
    for path in write_sample(options.folder, customers=options.customers, seed=options.seed).values():
        print(f"{path}  {path.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
