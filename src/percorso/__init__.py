"""Percorso: customer journeys from the files your shop already has."""

__version__ = "0.1.0"
