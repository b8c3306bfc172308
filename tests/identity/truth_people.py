"""The people of tests.identity.truth: what they are known by, what they visit with, and when they sign in."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["People", "Visits", "make_people", "make_visits"]

I64 = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

MUTE_COOKIES = 0.25  # of the cookies that were seen: never log in
SHARED_DEVICES = 0.03  # of the devices that were seen
TWO_ACCOUNTS = 0.02  # of the people

# How often somebody signs in on a visit. Whoever finds another one signed in mostly changes that.
_SIGNS_IN, _SIGNS_IN_ON_SHARED, _GUEST_SIGNS_IN = 0.55, 0.9, 0.1


@dataclass(frozen=True, slots=True)
class People:
    """Arrays of shape (n_people,); codes are -1 where there is none.

    Attributes
    ----------
    level : float64
        How active, about 1.
    user, second_user, email, second_email, phone, loyalty, card : int64
        Codes of identifiers. A second account has an address of its own, 2 * n_people + person.
    mate : int64
        The other one of the household.
    n_cookies : int64
        Web cookies in the year, one after the other.
    has_app : bool
    """

    level: npt.NDArray[np.float64]
    user: I64
    second_user: I64
    email: I64
    second_email: I64
    phone: I64
    loyalty: I64
    card: I64
    mate: I64
    n_cookies: I64
    has_app: Flags

    def __len__(self) -> int:
        return len(self.level)


@dataclass(frozen=True, slots=True)
class Visits:
    """Visits to site and app, arrays of shape (n_visits,).

    Attributes
    ----------
    person : int64
    year : float64
        When, in 0..1 of the year.
    device : int64
        Code of the cookie or the app.
    is_app, signs_in : bool
    signs_out : bool
        A device that two people use, and one of those that are left signed out.
    speaks : bool
        The device is not one that never tells whose it is.
    user, email : int64
        Of the account used.
    """

    person: I64
    year: npt.NDArray[np.float64]
    device: I64
    is_app: Flags
    signs_in: Flags
    signs_out: Flags
    speaks: Flags
    user: I64
    email: I64


def make_people(n: int, rng: np.random.Generator) -> People:
    """Some pass by and tell nothing, some buy as guests, most who come often have an account."""
    who = np.arange(n)
    level = np.minimum(rng.lognormal(-0.3, 0.7, n), 6.0)
    tells = rng.random(n) > 0.12
    account = tells & (rng.random(n) < 0.7 + 0.3 * level)
    email = np.where(account | (tells & (rng.random(n) < 0.85)), who, -1)
    # Whoever passes by is a stranger: families are people that the shop knows, by account or as guests.
    mate = np.where((rng.random(n // 2 + 1) < 0.6).repeat(2)[:n] & (who ^ 1 < n), who ^ 1, -1)
    mate[~tells | ~tells[mate]] = -1
    return People(
        level=level,
        user=np.where(account, who, -1),
        second_user=np.where(_some(account & (level > 1), TWO_ACCOUNTS * n, rng), n + who, -1),
        email=email,
        second_email=np.where((email >= 0) & (rng.random(n) < 0.15), n + who, -1),
        phone=np.where(tells & (rng.random(n) < 0.7), who, -1),
        loyalty=np.where(tells & (rng.random(n) < 0.35), who, -1),
        card=np.where(rng.random(n) < 0.6, who, -1),
        mate=mate,
        n_cookies=1 + rng.poisson(0.8, n),
        has_app=account & (rng.random(n) < 0.3),
    )


def _some(among: Flags, wanted: float, rng: np.random.Generator) -> Flags:
    """As many as wanted of those that can be."""
    can = np.flatnonzero(among)
    chosen = np.zeros(len(among), dtype=np.bool_)
    chosen[rng.permutation(can)[: round(max(wanted, 0))]] = True
    return chosen


def make_visits(people: People, rng: np.random.Generator) -> Visits:
    """People's visits on their own devices, and on those of the other one at home."""
    owner = np.repeat(np.arange(len(people)), 1 + rng.poisson(3.2 * people.level))
    year = rng.random(len(owner))
    is_app = people.has_app[owner] & (rng.random(len(owner)) < 0.4)
    first_device = np.cumsum(people.n_cookies + 1) - people.n_cookies - 1
    cookie = (year * people.n_cookies[owner]).astype(np.int64)
    device = first_device[owner] + np.where(is_app, people.n_cookies[owner], cookie)
    person = owner

    devices, at = np.unique(device, return_index=True)
    mute = _mute(people.email[owner[at]] < 0, is_app[at], rng)
    shared = _some(~mute & (people.mate[owner[at]] >= 0), SHARED_DEVICES * len(devices), rng)
    # How often the other one borrows it.
    times = np.repeat(at[shared], 1 + rng.poisson(0.3, int(shared.sum())))
    slot = np.where(is_app[times], 1, people.n_cookies[owner[times]])
    begin = np.where(is_app[times], 0, cookie[times] / slot)
    year = np.concatenate([year, begin + rng.random(len(times)) / slot])
    person = np.concatenate([person, people.mate[owner[times]]])
    owner, device = np.concatenate([owner, owner[times]]), np.concatenate([device, device[times]])
    number = np.searchsorted(devices, device)
    return _signed(
        people, person, person == owner, year, number, np.concatenate([is_app, is_app[times]]), mute, shared, rng
    )


def _mute(must: Flags, is_app: Flags, rng: np.random.Generator) -> Flags:
    """Cookies of people who have nothing to tell, and as many others as it takes; an app is never mute."""
    wanted = MUTE_COOKIES * float((~is_app).sum()) - float((must & ~is_app).sum())
    return must | _some(~must & ~is_app, wanted, rng)


def _signed(
    people: People,
    person: I64,
    is_own: Flags,
    year: npt.NDArray[np.float64],
    number: I64,
    is_app: Flags,
    mute: Flags,
    shared: Flags,
    rng: np.random.Generator,
) -> Visits:
    """Who signs in on which visit, with which account; arrays by device have the number of the device."""
    n = len(person)
    second = (people.second_user[person] >= 0) & (rng.random(n) < 0.5)
    user = np.where(second, people.second_user[person], people.user[person])
    email = np.where(second, 2 * len(people) + person, people.email[person])
    often = np.where(shared[number], _SIGNS_IN_ON_SHARED, _SIGNS_IN)
    able = ~mute[number] & (email >= 0)
    signs_in = able & (rng.random(n) < np.where(user >= 0, often, _GUEST_SIGNS_IN))
    # A device that is not mute tells of its owner at least once.
    order = np.lexsort((year, ~(able & is_own), number))
    first = order[np.r_[True, number[order][1:] != number[order][:-1]]]
    signs_in[first] |= able[first]
    left_clean = rng.random(len(mute)) < 0.5
    return Visits(person, year, number, is_app, signs_in, (shared & left_clean)[number], ~mute[number], user, email)
