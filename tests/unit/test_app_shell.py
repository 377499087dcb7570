"""The Dash app as a whole, without a workspace: every callback's ids exist, headers, vendored files."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from dash import Dash

from dashboard.app_shell import DOCS, PAGES
from dashboard.vendor import PREFIX, STYLESHEETS
from tests.unit.test_components import nodes_of


def ids_of(layout: Any) -> set[str]:
    """Every id in a layout, a pattern's by its type."""
    found = {getattr(node, "id", None) for node in nodes_of(layout) if not isinstance(getattr(node, "id", None), dict)}
    patterns = {node.id["type"] for node in nodes_of(layout) if isinstance(getattr(node, "id", None), dict)}
    return {str(one) for one in found | patterns if one}


def test_every_input_of_a_callback_is_in_a_layout_or_declared_optional(app: Dash) -> None:
    known = ids_of(app.layout()).union(*(ids_of(page.layout()) for page in (*PAGES, DOCS)))
    missing = []
    for one in app.callback_map.values():
        for dependency in (*one["inputs"], *one["state"]):
            name = dependency["id"]
            if name.startswith("{") or name in known or dependency.get("allow_optional"):
                continue
            missing.append(name)
    # the explorer draws most of its page with the chosen table
    assert [name for name in missing if not name.startswith("uc-")] == []
    assert known >= {"main", "location", "lakebase-view", "status-sentence", "welcome-checked"}


def test_first_page_is_small_and_names_its_files(app: Dash) -> None:
    page = app.server.test_client().get("/")
    assert page.status_code == 200
    assert len(page.data) < 12_000
    assert '<html lang="en">' in page.text
    for href in STYLESHEETS:
        assert href in page.text


def test_vendor_files_are_kept_for_a_year_and_nothing_else_is_served(app: Dash) -> None:
    client = app.server.test_client()
    css = client.get(STYLESHEETS[0])
    assert css.status_code == 200
    assert "max-age=31536000" in css.headers["Cache-Control"]
    assert client.get(f"{PREFIX}/css/font/fonts/bootstrap-icons.woff2").status_code == 200
    for name in ("js/bootstrap.min.js", "../__init__.py", "css/bootswatch/lux/bootstrap.min.css"):
        assert client.get(f"{PREFIX}/{name}").headers.get("Cache-Control") != "public, max-age=31536000"


def test_a_version_of_a_script_is_kept_and_a_script_without_one_is_asked_again(app: Dash) -> None:
    client = app.server.test_client()
    versioned = next(one for one in re.findall(r'src="(/assets/[^"]+)"', client.get("/").text) if "?m=" in one)
    assert "immutable" in client.get(versioned).headers["Cache-Control"]
    assert "immutable" not in client.get(versioned.partition("?")[0]).headers["Cache-Control"]
    assert "immutable" not in client.get("/assets/none.js?m=1").headers.get("Cache-Control", "")


def test_policy_on_every_page_allows_own_scripts_only(app: Dash) -> None:
    policy = app.server.test_client().get("/lakebase").headers["Content-Security-Policy"]
    assert "script-src 'self' 'sha256-" in policy
    assert "object-src 'none'" in policy
    assert "unsafe-eval" not in policy


def test_account_without_a_token_says_what_to_set_up(app: Dash) -> None:
    body = {
        "output": "..account.children...account-popover.children..",
        "outputs": [{"id": "account", "property": "children"}, {"id": "account-popover", "property": "children"}],
        "inputs": [{"id": "arrival", "property": "data", "value": True}],
        "changedPropIds": ["arrival.data"],
        "state": [],
    }
    answer = app.server.test_client().post(
        "/_dash-update-component", data=json.dumps(body), content_type="application/json"
    )
    assert answer.status_code == 200
    assert "Not signed in" in answer.text
    assert "user authorization" in answer.text


@pytest.mark.parametrize("path", ["/", "/unity-catalog", "/unity-catalog/", "/status", "/guides", "/guides/lakebase"])
def test_a_page_answers_200(app: Dash, path: str) -> None:
    answer = app.server.test_client().get(path)
    assert answer.status_code == 200
    assert "_dash-config" in answer.text


@pytest.mark.parametrize(
    "path",
    ["/nothing-here", "/unity-catalog/unknown", "/Status", "/guides/none", "/guides/lakebase/x", "/guides/lakebase.md"],
)
def test_an_unknown_page_answers_404_with_the_page_that_says_so(app: Dash, path: str) -> None:
    client = app.server.test_client()
    answer = client.get(path)
    assert answer.status_code == 404
    assert "_dash-config" in answer.text  # the frame, which draws "There is no page" as its page
    assert answer.headers["Content-Security-Policy"]
    assert client.head(path).status_code == 404
    body = {
        "output": "..main.children...navigation.children..",
        "outputs": [{"id": "main", "property": "children"}, {"id": "navigation", "property": "children"}],
        "inputs": [{"id": "location", "property": "pathname", "value": path}],
        "changedPropIds": ["location.pathname"],
        "state": [],
    }
    drawn = client.post("/_dash-update-component", data=json.dumps(body), content_type="application/json")
    assert drawn.status_code == 200
    assert "There is no page " in drawn.text


def test_the_icon_that_browsers_ask_for_by_themselves_is_there(app: Dash) -> None:
    icon = app.server.test_client().get("/favicon.ico", follow_redirects=True)
    assert icon.status_code == 200
    assert icon.mimetype == "image/svg+xml"


def test_pictures_of_guides_are_served_and_nothing_else_of_the_folder(app: Dash) -> None:
    client = app.server.test_client()
    picture = client.get("/guides/images/welcome.png")
    assert picture.status_code == 200
    assert picture.mimetype == "image/png"
    for name in ("none.png", "..%2Flakebase.md", "../lakebase.md", "%2e%2e/architecture.md"):
        assert client.get(f"/guides/images/{name}").status_code == 404
