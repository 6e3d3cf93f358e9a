"""The resources of `test:every/resources@1.2.0`: they are found here by their names."""

from __future__ import annotations

from wit_world.exports import resources as resources_contract
from wit_world.imports import shared as imported_shared


class Document(resources_contract.Document):
    """A document."""

    def __init__(self, title: str) -> None:
        """A new document with this title."""
        raise NotImplementedError("test:every/resources@1.2.0: document.constructor is not written yet")

    def title(self) -> str:
        """Its title."""
        raise NotImplementedError("test:every/resources@1.2.0: document.title is not written yet")

    def draw_on(self, where: imported_shared.Canvas) -> None:
        """Draws the document.

        Raises: `Err` of str
        """
        raise NotImplementedError("test:every/resources@1.2.0: document.draw-on is not written yet")

    @classmethod
    def merge(
        cls,
        a: resources_contract.Document,
        b: resources_contract.Document,
    ) -> resources_contract.Document:
        """Puts two together."""
        raise NotImplementedError("test:every/resources@1.2.0: document.merge is not written yet")


class Page(resources_contract.Page):
    """A page without a constructor."""

    def number(self) -> int:
        """Its number."""
        raise NotImplementedError("test:every/resources@1.2.0: page.number is not written yet")


class Fallible(resources_contract.Fallible):
    """May fail."""

    def __init__(self, n: int) -> None:
        """Raises: `Err` of str"""
        raise NotImplementedError("test:every/resources@1.2.0: fallible.constructor is not written yet")
