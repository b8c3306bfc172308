"""A report in words and pictures, before it becomes a page: frozen pieces that the template only sets."""

from __future__ import annotations

from dataclasses import dataclass

from percorso.charts.chart import Chart

__all__ = [
    "Callout",
    "Counted",
    "Cover",
    "Document",
    "Fact",
    "Figure",
    "Folds",
    "Note",
    "Piece",
    "Poster",
    "ReportTable",
    "Section",
    "Sentence",
    "Term",
    "Terms",
]


@dataclass(frozen=True, slots=True)
class Figure:
    """A chart with the table behind it."""

    chart: Chart
    kind: str = "figure"


@dataclass(frozen=True, slots=True)
class Poster:
    """The map: a page of its own, across."""

    chart: Chart
    kind: str = "poster"


@dataclass(frozen=True, slots=True)
class ReportTable:
    """A table for people: texts, and which columns hold numbers.

    Parameters
    ----------
    caption : str
    heads : tuple of str
    rows : tuple of tuple of str
        A row of a single text is a heading within the table.
    words : tuple of int
        Columns that are text; the others are numbers, set to the right.
    folded : bool
        Behind a line to open, named by its caption.
    sparks : tuple of Chart or None
        A small line behind each row; empty: none has one.
    """

    caption: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    words: tuple[int, ...] = (0,)
    folded: bool = False
    sparks: tuple[Chart | None, ...] = ()
    kind: str = "table"


@dataclass(frozen=True, slots=True)
class Folds:
    """Tables below a common heading, each behind a line to open; on paper all of them stand open."""

    title: str
    tables: tuple[ReportTable, ...]
    kind: str = "folds"


@dataclass(frozen=True, slots=True)
class Note:
    """A sentence. `tone`: "" for text, "muted" for what is said beside it, "missing" for why something is not there."""

    text: str
    tone: str = ""
    kind: str = "note"


@dataclass(frozen=True, slots=True)
class Callout:
    """Something to know, and what to do about it; `tone` is "problem" or "notice"."""

    label: str
    text: str
    advice: str = ""
    tone: str = "notice"
    kind: str = "callout"


@dataclass(frozen=True, slots=True)
class Term:
    """A word and what it means."""

    name: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Terms:
    """A list of words and what they mean."""

    title: str
    terms: tuple[Term, ...]
    kind: str = "terms"


Piece = Figure | Poster | ReportTable | Folds | Note | Callout | Terms


@dataclass(frozen=True, slots=True)
class Counted:
    """Orders and value behind a section, so that sections can be held against each other.

    Parameters
    ----------
    orders, value : str
        Of known customers, exact.
    nobody, nobody_value : str
        Receipts of unknown customers; "" where the answer is about customers and has none.
    text : str
        The same as a sentence; "" where it is told elsewhere.
    """

    orders: str
    value: str
    nobody: str
    nobody_value: str
    text: str

    def has_same_orders(self, other: Counted) -> bool:
        """Do both count the same orders, as far as both count those without a customer?"""
        theirs = (self.nobody, self.nobody_value), (other.nobody, other.nobody_value)
        same = theirs[0] == theirs[1] or ("", "") in theirs
        return same and (self.orders, self.value) == (other.orders, other.value)


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the report.

    Parameters
    ----------
    key : str
        Anchor.
    title : str
    lead : str
        What is asked here, and of whom.
    pieces : tuple of Piece
    basis : Counted or None
        Which orders the answer behind it counts; None where it counts none.
    warnings : tuple of str
        What its answers warn of, where no other place of the page says it.
    """

    key: str
    title: str
    lead: str
    pieces: tuple[Piece, ...]
    basis: Counted | None = None
    warnings: tuple[str, ...] = ()

    @property
    def is_poster(self) -> bool:
        """On paper the poster stands by itself: it says its title and figures."""
        return any(isinstance(piece, Poster) for piece in self.pieces)


@dataclass(frozen=True, slots=True)
class Sentence:
    """One of the sentences that matter; `section` is where it comes from."""

    text: str
    section: str
    tone: str = ""


@dataclass(frozen=True, slots=True)
class Fact:
    """A name and a value on the cover."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Cover:
    """The strip at the top."""

    brand: str
    title: str
    period: str
    facts: tuple[Fact, ...]


@dataclass(frozen=True, slots=True)
class Document:
    """A report.

    Parameters
    ----------
    language : str
    cover : Cover
    summary_title : str
    summary : tuple of Sentence
    sections : tuple of Section
    contents : str
        Name of the list of sections.
    skip, to_top, details : str
        Words of the page's own links.
    made_by : str
        The last line.
    """

    language: str
    cover: Cover
    summary_title: str
    summary: tuple[Sentence, ...]
    sections: tuple[Section, ...]
    contents: str
    skip: str
    to_top: str
    details: str
    made_by: str

    @property
    def keys(self) -> tuple[str, ...]:
        """Anchors of all sections."""
        return tuple(section.key for section in self.sections)
