"""Markdown as components: CommonMark and tables, parsed by markdown-it-py; HTML in a text stays text.

Headings get anchors as GitHub names them (behind a prefix: an anchor must not be the id of a part of the app), code
blocks get a button that copies them, and links between the guides lead to the app's own pages.
"""

from __future__ import annotations

import posixpath
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from dash import html
from dash.development.base_component import Component
from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode

from dashboard.components.controls import copy_button
from dashboard.components.signs import hidden, icon
from dashboard.pages.guides.library import PATH, Guide, image_size

ANCHOR = "guide-"
_OUTSIDE = re.compile(r"(https?:|mailto:|/)")
_HEADINGS = {f"h{level}": getattr(html, f"H{level}") for level in range(1, 7)}
_PLAIN: dict[str, Any] = {
    "strong": html.Strong,
    "em": html.Em,
    "bullet_list": html.Ul,
    "list_item": html.Li,
    "blockquote": html.Blockquote,
    "thead": html.Thead,
    "tbody": html.Tbody,
    "tr": html.Tr,
}
"""What becomes the element of the same meaning, with its children in it."""


@dataclass
class Drawn:
    """A text as components, and its sections: anchor and title of each second-level heading."""

    body: list[Any]
    sections: list[tuple[str, str]]


@dataclass(frozen=True)
class Linker:
    """Where a link of a guide leads in the app."""

    guides: Mapping[str, Guide]

    def href(self, target: str) -> str | None:
        """The address to link to; None for a file of the repository that the app does not show."""
        path, _, anchor = target.partition("#")
        fragment = f"#{ANCHOR}{anchor}" if anchor else ""
        if _OUTSIDE.match(target):
            return target
        if not path:
            return fragment
        name = posixpath.normpath(path)
        stem = name.removesuffix(".md").replace("_", "-")
        return f"{PATH}/{stem}{fragment}" if name.endswith(".md") and stem in self.guides else None

    def image(self, target: str) -> tuple[str, tuple[int, int]] | None:
        """Address and size of a picture of ``docs/images``; None for any other."""
        folder, _, name = posixpath.normpath(target).rpartition("/")
        size = image_size(name) if folder == "images" else None
        return (f"{PATH}/images/{name}", size) if size is not None else None


def draw(text: str, linker: Linker) -> Drawn:
    """Draw a guide. The text is trusted as prose only: no HTML of it reaches the page, no script address a link."""
    tree = SyntaxTreeNode(MarkdownIt("commonmark", {"html": False}).enable("table").parse(text))
    writer = _Writer(linker)
    return Drawn(writer.all(tree.children), writer.sections)


def anchor_of(title: str) -> str:
    """A heading's anchor as GitHub makes it: lower case, hyphens for spaces, no punctuation."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


@dataclass
class _Writer:
    """Turns the syntax tree into components, remembering what it has numbered."""

    linker: Linker
    sections: list[tuple[str, str]] = field(default_factory=list)
    seen: Counter[str] = field(default_factory=Counter)

    def all(self, nodes: Sequence[SyntaxTreeNode]) -> list[Any]:
        """The nodes one after the other."""
        return [part for node in nodes for part in self.one(node)]

    def one(self, node: SyntaxTreeNode) -> list[Any]:
        """One node: most are one component, an inline text is several."""
        if node.type in _PLAIN:
            return [_PLAIN[node.type](self.all(node.children))]
        own: Callable[[SyntaxTreeNode], list[Any]] | None = getattr(self, f"_{node.type}", None)
        return own(node) if own is not None else [node.content]

    def _inline(self, node: SyntaxTreeNode) -> list[Any]:
        return self.all(node.children)

    def _paragraph(self, node: SyntaxTreeNode) -> list[Any]:
        """A paragraph; in a tight list its text alone."""
        return self.all(node.children) if node.hidden else [html.P(self.all(node.children))]

    def _softbreak(self, _: SyntaxTreeNode) -> list[Any]:
        return ["\n"]

    def _hardbreak(self, _: SyntaxTreeNode) -> list[Any]:
        return [html.Br()]

    def _hr(self, _: SyntaxTreeNode) -> list[Any]:
        return [html.Hr()]

    def _code_inline(self, node: SyntaxTreeNode) -> list[Any]:
        return [html.Code(node.content)]

    def _ordered_list(self, node: SyntaxTreeNode) -> list[Any]:
        return [html.Ol(self.all(node.children), start=str(node.attrs.get("start", 1)))]

    def _heading(self, node: SyntaxTreeNode) -> list[Any]:
        title = _words(node)
        anchor = f"{ANCHOR}{anchor_of(title)}"
        self.seen[anchor] += 1
        if self.seen[anchor] > 1:
            anchor = f"{anchor}-{self.seen[anchor] - 1}"
        words = self.all(node.children)
        if node.tag == "h1":
            return [html.H1(words)]
        if node.tag == "h2":
            self.sections.append((anchor, title))
        here = html.A([icon("link-45deg"), hidden(f"Link to {title}")], href=f"#{anchor}", className="lf-guide-anchor")
        return [_HEADINGS[node.tag]([*words, here], id=anchor)]

    def _link(self, node: SyntaxTreeNode) -> list[Any]:
        target, words = str(node.attrs["href"]), self.all(node.children)
        href = self.linker.href(target)
        if href is None:
            return [html.Span(words, title=f"{posixpath.normpath(f'docs/{target}')} in the repository")]
        return [html.A(words, href=href)]

    def _image(self, node: SyntaxTreeNode) -> list[Any]:
        found = self.linker.image(str(node.attrs["src"]))
        if found is None:
            return [_words(node)]
        source, (width, height) = found
        return [html.Img(src=source, alt=_words(node), width=str(width), height=str(height))]

    def _fence(self, node: SyntaxTreeNode) -> list[Any]:
        self.seen["code"] += 1
        name = {"role": "group", "aria-label": f"Code {self.seen['code']}"}
        code = html.Pre(html.Code(node.content.rstrip("\n")), tabIndex="0", **name)
        return [html.Div([code, copy_button("Copy", f"code {self.seen['code']}")], className="lf-guide-code")]

    _code_block = _fence

    def _table(self, node: SyntaxTreeNode) -> list[Any]:
        self.seen["table"] += 1
        name = {"role": "group", "aria-label": f"Table {self.seen['table']}"}
        table = html.Table(self.all(node.children), className="lf-table")
        return [html.Div(table, className="lf-scroll", tabIndex="0", **name)]

    def _th(self, node: SyntaxTreeNode) -> list[Any]:
        words = self.all(node.children)
        # An empty head would be announced as a head of nothing.
        return [html.Th(words, **_aligned(node)) if words else html.Td()]

    def _td(self, node: SyntaxTreeNode) -> list[Component]:
        return [html.Td(self.all(node.children), **_aligned(node))]


def _aligned(node: SyntaxTreeNode) -> dict[str, str]:
    return {"className": "num"} if "right" in str(node.attrs.get("style", "")) else {}


def _words(node: SyntaxTreeNode) -> str:
    """The text of a heading or a picture without its marks."""
    inside = [child for part in node.walk() if part.type in ("text", "code_inline") for child in [part.content]]
    return "".join(inside) or node.content
