"""Random events of one bucket, as arrays for kernels and as rows for their naive twins."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st

from percorso.kernels.arrays import I32, I64, U8, Codes
from percorso.kernels.paths import path_nodes
from tests.naive.flow import Row

#: "" is "no node".
NAMES = ("", "cart", "home", "list", "order")


@dataclass(frozen=True)
class PathRows:
    codes: Codes
    case: I32
    keep: U8
    contact: I32
    time: I64
    offsets: I64
    case_person: I32
    n_contacts: int

    @property
    def n_cases(self) -> int:
        return len(self.case_person)

    def rows(self) -> list[Row]:
        person = np.repeat(np.arange(len(self.offsets) - 1), np.diff(self.offsets))
        return [
            Row(
                person=int(person[i]),
                time=int(self.time[i]),
                node=NAMES[self.codes[i]],
                case=int(self.case[i]) if self.case[i] >= 0 else None,
                contact=int(self.contact[i]) if self.contact[i] >= 0 else None,
                kept=bool(self.keep[i]),
            )
            for i in range(len(self.codes))
        ]

    def nodes(self, *, by_contact: bool, collapse: bool) -> tuple[I32, I32, I32]:
        """Code, case and row of each node."""
        n = len(self.codes)
        node, case, row = np.empty(n, np.int32), np.empty(n, np.int32), np.empty(n, np.int32)
        contact = self.contact if by_contact else np.empty(0, np.int32)
        filled = path_nodes(
            self.codes, self.case, self.keep, contact, 0, collapse, self.n_cases, self.n_contacts,
            node, case, row,
        )  # fmt: skip
        return node[:filled], case[:filled], row[:filled]

    def person_of_case(self) -> dict[int, int]:
        return {case: int(person) for case, person in enumerate(self.case_person)}


@st.composite
def path_rows(draw: st.DrawFn) -> PathRows:
    """Up to five persons whose cases and contacts interleave, with ties in time and gaps in everything."""
    sizes = draw(st.lists(st.integers(0, 12), max_size=5))
    cases_each = [draw(st.integers(1, 3)) for _ in sizes]
    codes, case, keep, contact, time = [], [], [], [], []
    first_case = first_contact = 0
    for size, n_cases in zip(sizes, cases_each, strict=True):
        now = 0
        for _ in range(size):
            now += draw(st.sampled_from((0, 0, 1, 7, 3_600_000_000, 10**13)))
            time.append(now)
            codes.append(draw(st.integers(0, len(NAMES) - 1)))
            case.append(draw(st.integers(-1, n_cases - 1)))
            contact.append(draw(st.integers(-1, 1)))
            keep.append(draw(st.sampled_from((1, 1, 1, 0))))
            case[-1] += first_case if case[-1] >= 0 else 0
            contact[-1] += first_contact if contact[-1] >= 0 else 0
        first_case += n_cases
        first_contact += 2
    code_type = draw(st.sampled_from((np.uint8, np.uint16, np.uint32)))
    return PathRows(
        codes=np.array(codes, code_type),
        case=np.array(case, np.int32),
        keep=np.array(keep, np.uint8),
        contact=np.array(contact, np.int32),
        time=np.array(time, np.int64),
        offsets=np.cumsum([0, *sizes]).astype(np.int64),
        case_person=np.repeat(np.arange(len(sizes)), cases_each).astype(np.int32),
        n_contacts=first_contact,
    )
