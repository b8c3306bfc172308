"""The contacts that a question sees, bucket by bucket.

A contact is a session, a call, a conversation, a receipt, a message, a parcel (definitions, section 2). Its place,
channel and direction, its journey and its device are those of its first event that is in; so they hold for the
events asked for, and a period that cuts a contact cuts what is said of it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from percorso.analyses.select import NO_MASK, ScopePlan, select_events
from percorso.kernels.arrays import I32, I64, Bools
from percorso.kernels.contacts import find_contacts
from percorso.store.journey_log import Bucket

__all__ = ["Contacts", "contacts_of", "inbound_values"]


@dataclass(frozen=True, slots=True)
class Contacts:
    """Contacts of one bucket with at least one event that is in, by person and first event.

    Parameters
    ----------
    number : int32 array, shape (n_contacts,)
        Number of the contact within the bucket, as the events' column `contact` has it.
    row : int32 array, shape (n_contacts,)
        Its first event that is in, ascending.
    person : int32 array, shape (n_contacts,)
        Ascending.
    start_us, end_us : int64 array, shape (n_contacts,)
        Times of its first and last event that are in.
    n_events : int32 array, shape (n_contacts,)
    is_session : bool array, shape (n_contacts,)
        A visit to site or app, whose time runs from first to last event. Any other contact has a duration only
        where its source gives one.
    inbound : bool array, shape (n_contacts,)
        The customer acted.
    """

    number: I32
    row: I32
    person: I32
    start_us: I64
    end_us: I64
    n_events: I32
    is_session: Bools
    inbound: Bools

    def __len__(self) -> int:
        return len(self.row)


def contacts_of(plan: ScopePlan, bucket: Bucket) -> Contacts:
    """The contacts of a bucket that have an event in the scope."""
    events = bucket.events
    contact, time = events.values("contact"), events.values("time")
    mask = select_events(plan, bucket).dense()
    keep = NO_MASK if mask is None else mask
    # Numbered by first event, of all events; the first one that is in may come later than another contact's.
    number, row, person, last, count = find_contacts(bucket.offsets(), contact, keep, int(contact.max(initial=-1)) + 1)
    return Contacts(
        number=number,
        row=row,
        person=person,
        start_us=time[row],
        end_us=time[last],
        n_events=count,
        is_session=events.values("session")[row] >= 0,
        inbound=inbound_values(bucket)[events.values("direction")[row]],
    )


def inbound_values(bucket: Bucket) -> Bools:
    """Which codes of `direction` mean that the customer acted, bool of shape (n_codes,)."""
    return np.array([name == "inbound" for name in bucket.events.dictionary("direction")], np.bool_)
