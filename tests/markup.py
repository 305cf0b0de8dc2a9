"""Pages as elements, and what may be in none."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

VOID = {"meta", "input", "link", "br", "img", "hr"}
INVISIBLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]"
)
ACCUSING = re.compile(r"stolen|guilt|plagiari|\bthie(f|ves)\b|\btheft|\bcheat|culprit", re.IGNORECASE)


class Element:
    """One element of a page, with what a test asks of it."""

    def __init__(self, tag: str, attributes: dict[str, str]) -> None:
        self.tag, self.attributes = tag, attributes
        self.children: list[Element | str] = []

    @property
    def text(self) -> str:
        return "".join(child if isinstance(child, str) else child.text for child in self.children)

    def all(self, selector: str) -> list[Element]:
        """Elements inside by `tag`, `.class` or `tag.class`."""
        tag, _, name = selector.partition(".")
        return [each for each in self.within() if each.is_called(tag, name)]

    def is_called(self, tag: str, name: str) -> bool:
        return tag in ("", self.tag) and (not name or name in self.attributes.get("class", "").split())

    def within(self) -> Iterator[Element]:
        for child in self.children:
            if isinstance(child, Element):
                yield child
                yield from child.within()

    def shape(self) -> Any:
        """Elements and names of attributes, without what they say."""
        inner = [child.shape() for child in self.children if isinstance(child, Element)]
        return self.tag, sorted(self.attributes), self.attributes.get("class"), inner


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.root = Element("", {})
        self.open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs})
        self.open[-1].children.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open[-1].children.append(Element(tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self.open[-1].tag == tag, f"</{tag}> closes <{self.open[-1].tag}>"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        self.open[-1].children.append(data)


def parsed(page: str) -> Element:
    """A page as elements; every one that is opened is closed."""
    reader = _Reader()
    reader.feed(page)
    reader.close()
    assert [element.tag for element in reader.open] == [""]
    return reader.root
