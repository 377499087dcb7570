"""The guides as the app shows them: every file, every link and anchor, pictures, and nothing but prose from a text."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from dash import html
from plotly.utils import PlotlyJSONEncoder

from dashboard.app_shell import find_page
from dashboard.pages.guides import layout
from dashboard.pages.guides.library import IMAGES, Guide, guides, image_size
from dashboard.pages.guides.markdown import ANCHOR, Linker, anchor_of, draw
from tests.unit.test_components import nodes_of

DOCS = Path(__file__).parent.parent.parent / "docs"


def drawn(text: str) -> list[Any]:
    return nodes_of(draw(text, Linker(guides())).body)


def only(text: str, kind: type) -> Any:
    found = [node for node in drawn(text) if isinstance(node, kind)]
    assert len(found) == 1, found
    return found[0]


def ids_of(guide: Guide) -> set[str]:
    return {str(node.id) for node in nodes_of(layout(guide)) if getattr(node, "id", None)}


def test_every_file_of_docs_is_a_guide_with_title_and_summary() -> None:
    assert {guide.name for guide in guides().values()} == {file.stem.replace("_", "-") for file in DOCS.glob("*.md")}
    for guide in guides().values():
        assert len(guide.title) > 3
        assert len(guide.summary) > 20, guide.name
        assert not set("*`[]") & set(guide.summary), guide.summary
        page = find_page(guide.path)
        assert page is not None
        assert page.label == f"{guide.short}, guide"


@pytest.mark.parametrize("guide", guides().values(), ids=lambda guide: guide.name)
def test_every_link_of_a_guide_leads_somewhere_in_the_app(guide: Guide) -> None:
    nodes = nodes_of(layout(guide))
    links = [node.href for node in nodes if isinstance(node, html.A)]
    assert f"/guides/{guide.name}" in links
    for link in links:
        path, _, anchor = link.partition("#")
        if path.startswith("http"):
            continue
        assert not path or find_page(path) is not None or path == "/docs", link
        if anchor:
            target = guide if not path else guides()[path.removeprefix("/guides/")]
            assert anchor in ids_of(target), link
    for image in (node for node in nodes if isinstance(node, html.Img)):
        assert (IMAGES / image.src.rpartition("/")[2]).is_file()
        assert image.alt


@pytest.mark.parametrize("guide", guides().values(), ids=lambda guide: guide.name)
def test_no_id_of_a_guide_stands_twice_and_all_of_it_can_be_sent(guide: Guide) -> None:
    found = [node.id for node in nodes_of(layout(guide)) if getattr(node, "id", None)]
    assert len(found) == len(set(found))
    assert json.dumps(layout(guide), cls=PlotlyJSONEncoder)


def test_every_code_block_of_a_guide_can_be_copied_whole() -> None:
    guide = guides()["authentication"]
    blocks = re.findall(r"^```\w*\n(.*?)^```", guide.text, re.MULTILINE | re.DOTALL)
    codes = [node.children for node in nodes_of(layout(guide)) if isinstance(node, html.Pre)]
    assert [code.children for code in codes] == [block.rstrip("\n") for block in blocks]
    copies = [node for node in nodes_of(layout(guide)) if isinstance(node, html.Button)]
    assert len(copies) == len(blocks) > 0


@pytest.mark.parametrize(
    "text",
    [
        "a <script>alert(1)</script> b",
        '<img src="x" onerror="alert(1)">',
        "<iframe src='https://example.com'></iframe>",
        "[x](javascript:alert(1))",
        "[x](data:text/html,<script>alert(1)</script>)",
        "![x](https://example.com/x.png)",
        "![x](../dashboard/assets/favicon.svg)",
        "![x](images/../../services/settings.py)",
    ],
)
def test_nothing_but_prose_comes_from_a_text(text: str) -> None:
    kinds = {type(node) for node in drawn(text)}
    assert kinds <= {html.P}


def test_links_between_guides_outside_and_into_the_repository() -> None:
    assert only("[a](lakebase.md)", html.A).href == "/guides/lakebase"
    assert only("[a](unity_catalog.md#how-it-pages)", html.A).href == f"/guides/unity-catalog#{ANCHOR}how-it-pages"
    assert only("[a](#here)", html.A).href == f"#{ANCHOR}here"
    assert only("[a](https://docs.databricks.com/x)", html.A).href == "https://docs.databricks.com/x"
    file = only("[`a.py`](../services/identity.py)", html.Span)
    assert file.title == "services/identity.py in the repository"
    assert only("[a](none_such.md)", html.Span).title == "docs/none_such.md in the repository"


@pytest.mark.parametrize(
    ("title", "anchor"),
    [
        ("How a request travels", "how-a-request-travels"),
        ("1. Name & look, again", "1-name--look-again"),
        ("É_a", "é_a"),
    ],
)
def test_anchors_are_those_of_github(title: str, anchor: str) -> None:
    assert anchor_of(title) == anchor


def test_headings_of_the_same_words_have_anchors_of_their_own() -> None:
    found = [node.id for node in drawn("## Same\n\n## Same\n\n### Same") if isinstance(node, html.H2 | html.H3)]
    assert found == [f"{ANCHOR}same", f"{ANCHOR}same-1", f"{ANCHOR}same-2"]


def test_lists_tables_and_marks() -> None:
    assert only("1. a\n2. b", html.Ol).start == "1"
    assert len([node for node in drawn("- a\n- b\n  - c") if isinstance(node, html.Li)]) == 3
    table = [type(node) for node in drawn("| a | b |\n|---|--:|\n| `x` | **y** |")]
    assert [table.count(kind) for kind in (html.Table, html.Th, html.Td, html.Code, html.Strong)] == [1, 2, 2, 1, 1]


def test_pictures_keep_their_place_until_they_are_there() -> None:
    assert image_size("welcome.png") is not None
    assert image_size("../../app.py") is None
    assert image_size("none.png") is None
