"""Whether amounts hold tax, as the workspace says it."""

from __future__ import annotations

from percorso.language.words import Words

__all__ = ["tax_note"]


def tax_note(tax: str, words: Words) -> str:
    """The label of amounts.

    Parameters
    ----------
    tax : {"unknown", "included", "excluded"}
        ``[workspace] tax`` of the settings.
    words : Words
    """
    match tax:
        case "included":
            return words.text("tax.included")
        case "excluded":
            return words.text("tax.excluded")
        case _:
            return words.text("tax.unknown")
