"""Untrusted JSON with types: objects and arrays that know their place in the document and say what is wrong there."""

from __future__ import annotations

import enum
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NoReturn, TypeVar

from detector.model import UserError
from detector.report.names import visible
from detector.report.rounding import FARTHEST, MOST

MOST_LINES = 2**31 - 1  # what editors and CI services hold a line number in
MAX_NAME = 40  # characters of a name or value in a message

_Choice = TypeVar("_Choice", bound=enum.StrEnum)


@dataclass(frozen=True, slots=True)
class Place:
    """Where in the document: `matches[3].similarity`; empty for the document itself."""

    path: str

    def key(self, name: str) -> Place:
        """The place of a key of the object here."""
        return Place(f"{self.path}.{_short(name)}".removeprefix("."))

    def item(self, number: int) -> Place:
        """The place of an item of the array here, counted from 0."""
        return Place(f"{self.path}[{number}]")

    def refuse(self, wrong: str) -> NoReturn:
        """Say what is wrong here, and what to do about it."""
        subject = f"{self.path}: " if self.path else "the text "
        raise UserError(visible(f"{subject}{wrong}; give a report as detector compare --format json has written it"))


class Object:
    """A JSON object. Every method reads one key, or refuses it by its place."""

    def __init__(self, value: object, place: Place) -> None:
        if not isinstance(value, dict):
            _refuse(value, place, "an object")
        self._values: dict[str, object] = value
        self.place = place

    def at(self, name: str) -> Place:
        """The place of a key."""
        return self.place.key(name)

    def names(self) -> list[str]:
        """All keys, in the document's order."""
        return list(self._values)

    def _get(self, name: str) -> object:
        if name not in self._values:
            self.at(name).refuse("is missing")
        return self._values[name]

    def text(self, name: str, default: str | None = None) -> str:
        """A string."""
        if default is not None and name not in self._values:
            return default
        return _text(self._get(name), self.at(name))

    def number(self, name: str, most: float = MOST, default: float | None = None) -> float:
        """A number of at least 0."""
        if default is not None and name not in self._values:
            return default
        return _number(self._get(name), self.at(name), 0, most)

    def drawn(self, name: str) -> float:
        """A number of a figure."""
        return _drawn(self._get(name), self.at(name))

    def ratio(self, name: str, default: float | None = None) -> float:
        """A number from 0 to 1."""
        return self.number(name, 1, default)

    def count(self, name: str, least: int = 0, most: int = MOST, default: int | None = None) -> int:
        """An integer within bounds."""
        if default is not None and name not in self._values:
            return default
        return _count(self._get(name), self.at(name), least, most)

    def flag(self, name: str) -> bool:
        """True or false."""
        value = self._get(name)
        if not isinstance(value, bool):
            _refuse(value, self.at(name), "true or false")
        return value

    def choice(self, name: str, choices: type[_Choice], default: _Choice | None = None) -> _Choice:
        """A member of an enumeration."""
        if default is not None and name not in self._values:
            return default
        return choices(self.word(name, list(choices)))

    def word(self, name: str, words: Sequence[str]) -> str:
        """One of fixed words that are no enumeration."""
        word = self.text(name)
        if word not in words:
            self.at(name).refuse(f"is {_short(word)!r}, not one of {', '.join(words)}")
        return word

    def object(self, name: str) -> Object:
        """An object inside this one."""
        return Object(self._get(name), self.at(name))

    def optional(self, name: str) -> Object | None:
        """The same where it may be missing."""
        return self.object(name) if name in self._values else None

    def array(self, name: str, is_required: bool = True) -> Array:
        """An array inside this object; one that is not required may be missing, which is to be empty."""
        if not is_required and name not in self._values:
            return Array([], self.at(name))
        return Array(self._get(name), self.at(name))

    def objects(self, name: str, is_required: bool = True) -> Iterator[Object]:
        """The same of objects."""
        return self.array(name, is_required).objects()

    def texts(self) -> dict[str, str]:
        """The whole object as strings by name."""
        return {name: _text(value, self.at(name)) for name, value in self._values.items()}

    def values(self) -> dict[str, float | int | str]:
        """The whole object as numbers and strings by name."""
        return {name: _value(value, self.at(name)) for name, value in self._values.items()}


class Array:
    """A JSON array, as `Object` is an object."""

    def __init__(self, value: object, place: Place) -> None:
        if not isinstance(value, list):
            _refuse(value, place, "an array")
        self._items: list[object] = value
        self.place = place

    def require_length(self, length: int) -> None:
        """Refuse another number of items."""
        if len(self._items) != length:
            self.place.refuse(f"has {len(self._items)} items, not {length}")

    def objects(self) -> Iterator[Object]:
        """Every item as an object."""
        return (Object(item, self.place.item(number)) for number, item in enumerate(self._items))

    def arrays(self) -> Iterator[Array]:
        """Every item as an array."""
        return (Array(item, self.place.item(number)) for number, item in enumerate(self._items))

    def text(self, number: int) -> str:
        """One item as a string."""
        return _text(self._items[number], self.place.item(number))

    def count(self, number: int, most: int = MOST) -> int:
        """One item as an integer of at least 0."""
        return _count(self._items[number], self.place.item(number), 0, most)

    def drawn(self) -> tuple[float, ...]:
        """Every item as a number of a figure."""
        return tuple(_drawn(item, self.place.item(number)) for number, item in enumerate(self._items))

    def drawn_or_null(self) -> tuple[float | None, ...]:
        """The same where null stands for none."""
        items = enumerate(self._items)
        return tuple(None if item is None else _drawn(item, self.place.item(number)) for number, item in items)

    def texts(self) -> tuple[str, ...]:
        """Every item as a string."""
        return tuple(map(self.text, range(len(self._items))))

    def values(self) -> tuple[float | int | str, ...]:
        """Every item as a number or a string."""
        return tuple(_value(item, self.place.item(number)) for number, item in enumerate(self._items))

    def counts(self, length: int | None = None, least: int = 0, most: int = MOST) -> tuple[int, ...]:
        """Every item as an integer within bounds; of a fixed number of items if `length` is given."""
        if length is not None:
            self.require_length(length)
        items = enumerate(self._items)
        return tuple(_count(item, self.place.item(number), least, most) for number, item in items)

    def numbers(self, least: float | None = 0, most: float = MOST) -> tuple[float, ...]:
        """Every item as a number within bounds."""
        lowest = -MOST if least is None else least
        items = enumerate(self._items)
        return tuple(_number(item, self.place.item(number), lowest, most) for number, item in items)


def _refuse(value: object, place: Place, wanted: str) -> NoReturn:
    kinds = {dict: "an object", list: "an array", str: "a string", bool: "true or false", type(None): "null"}
    place.refuse(f"is {kinds.get(type(value), 'a number')}, not {wanted}")


def _text(value: object, place: Place) -> str:
    if not isinstance(value, str):
        _refuse(value, place, "a string")
    return value


def _count(value: object, place: Place, least: int, most: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        _refuse(value, place, "an integer")
    if not least <= value <= most:
        place.refuse(f"is {_spelled(value)}, not within {least:,} and {most:,}")
    return value


def _number(value: object, place: Place, least: float, most: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        _refuse(value, place, "a number")
    if not least <= value <= most:  # what is not finite is not either
        place.refuse(f"is {_spelled(value)}, not within {least:,} and {most:,}")
    return float(value)


def _drawn(value: object, place: Place) -> float:
    """An integer stays one: it is a count."""
    if isinstance(value, int) and not isinstance(value, bool):
        return _count(value, place, -MOST, MOST)
    return _number(value, place, -FARTHEST, FARTHEST)


def _value(value: object, place: Place) -> float | int | str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        _refuse(value, place, "a number or a string")
    if isinstance(value, int):
        return _count(value, place, -MOST, MOST)
    if not math.isfinite(value):
        place.refuse("is too large a number")
    return value


def _spelled(value: float) -> str:
    return _short(f"{value:,}") if abs(value) < MOST**4 else "too large a number"


def _short(text: str) -> str:
    return text if len(text) <= MAX_NAME else f"{text[: MAX_NAME - 1]}…"
