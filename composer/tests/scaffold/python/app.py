"""The component `mine`, for the world `every`.

Everything, for one component.

What it may call is in `wit_world.imports`: `test:every/shared@1.2.0`, `log`.

The bindings, `wit_world` and `componentize_py_types`, are generated while the component is
built. An error result is raised as `Err`, from `componentize_py_types`. Each stub traps until
it is written.
"""

from __future__ import annotations

from typing import List, Optional, Tuple

import wit_world
from componentize_py_types import Result, Some
from wit_world import exports
from wit_world.exports import resources as resources_contract
from wit_world.exports import values as values_contract
from wit_world.imports import shared as imported_shared


class Values(exports.Values):
    """Every kind of value. A line of this description is much longer than a hundred columns, so
    that it has to be wrapped somewhere, and wrapped once more.
    """

    def numbers(
        self,
        a: int,
        b: int,
        c: int,
        d: int,
        e: int,
        f: int,
        g: int,
        h: int,
        i: float,
        j: float,
        k: bool,
        l: str,
    ) -> int:
        """Numbers of every width.

        - First point of a list which is long enough that it must be wrapped as well, with its
          second line indented.
        - Second point.
        """
        raise NotImplementedError("test:every/values@1.2.0: numbers is not written yet")

    def texts(self, s: str, many: List[str], pair: Tuple[int, str]) -> Optional[str]:
        raise NotImplementedError("test:every/values@1.2.0: texts is not written yet")

    def list(
        self,
        rights: values_contract.Rights,
        colour: values_contract.Colour,
    ) -> List[values_contract.Colour]:
        raise NotImplementedError("test:every/values@1.2.0: list is not written yet")

    def shapes(
        self,
        p: imported_shared.Point,
        s: imported_shared.Shape,
        o: Optional[imported_shared.Shape],
        l: List[Tuple[imported_shared.Point, Optional[int]]],
    ) -> imported_shared.Shape:
        """Raises: `Err` of values_contract.Colour"""
        raise NotImplementedError("test:every/values@1.2.0: shapes is not written yet")

    def nothing(self) -> None:
        raise NotImplementedError("test:every/values@1.2.0: nothing is not written yet")

    def bare(self) -> None:
        """Raises: `Err` of None"""
        raise NotImplementedError("test:every/values@1.2.0: bare is not written yet")

    def only_error(self) -> None:
        """Raises: `Err` of str"""
        raise NotImplementedError("test:every/values@1.2.0: only-error is not written yet")

    def only_ok(self, r: Result[int, None]) -> int:
        """Raises: `Err` of None"""
        raise NotImplementedError("test:every/values@1.2.0: only-ok is not written yet")

    def nested(self, x: Optional[Some[Optional[int]]], type: List[bytes]) -> Tuple[int, str]:
        raise NotImplementedError("test:every/values@1.2.0: nested is not written yet")


class Resources(exports.Resources):
    """Resources."""

    def open(self, name: str) -> resources_contract.Document:
        """Opens a document.

        Raises: `Err` of str
        """
        raise NotImplementedError("test:every/resources@1.2.0: open is not written yet")

    def pages(self, of: resources_contract.Document) -> List[resources_contract.Page]:
        """Pages of a document."""
        raise NotImplementedError("test:every/resources@1.2.0: pages is not written yet")


class WitWorld(wit_world.WitWorld):
    """Functions of the world itself."""

    def mirror(self, p: imported_shared.Point) -> imported_shared.Point:
        """At the root."""
        raise NotImplementedError("mirror is not written yet")
