"""The shared components: words, waterline, errors, tabs, the theme's one source of colours."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from dash.development.base_component import Component

from dashboard.components import words
from dashboard.components.charts import SERIES, TOKENS, template
from dashboard.components.controls import Tab, meter, tabs
from dashboard.components.feedback import error_note, error_panel, toast, undo_button
from dashboard.components.services import sentence
from dashboard.components.signs import Identity
from dashboard.components.snippets import curl_snippet, python_snippet
from dashboard.components.waterline import highlight, sql_button, sql_panel, waterline
from services.errors import AuthRequired, CatalogPermissionDenied, DatabaseUnavailable

STYLES = (Path(__file__).parents[2] / "dashboard" / "assets" / "lakefront.css").read_text(encoding="utf-8")
NOW = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)


def text_of(node: Any) -> str:
    """Every word of a component, as a person would read it."""
    if node is None:
        return ""
    if isinstance(node, str | int | float):
        return str(node)
    if isinstance(node, list | tuple):
        return "".join(text_of(one) for one in node)
    return text_of(getattr(node, "children", None))


def nodes_of(node: Any) -> list[Component]:
    """Every component below and including one."""
    if isinstance(node, list | tuple):
        return [found for one in node for found in nodes_of(one)]
    if not isinstance(node, Component):
        return []
    return [node, *nodes_of(getattr(node, "children", None))]


@pytest.mark.parametrize(
    ("milliseconds", "said"),
    [(0.2, "under 1 ms"), (38.4, "38 ms"), (1400, "1.4 s"), (59_900, "59.9 s"), (180_000, "3 min"), (7_200_000, "2 h")],
)
def test_durations(milliseconds: float, said: str) -> None:
    assert words.elapsed(milliseconds) == said


@pytest.mark.parametrize(
    ("past", "said"),
    [
        (timedelta(seconds=3), "just now"),
        (timedelta(minutes=2), "2 min ago"),
        (timedelta(hours=5), "today 10:00"),
        (timedelta(hours=20), "yesterday 19:00"),
        (timedelta(days=5), "19 Nov"),
        (timedelta(days=400), "20 Oct 2025"),
    ],
)
def test_ago(past: timedelta, said: str) -> None:
    assert words.ago(NOW - past, NOW) == said


def test_figures() -> None:
    assert words.number(1_284_113) == "1,284,113"
    assert words.number(-8, 2) == "\N{MINUS SIGN}8.00"
    assert words.size(18_600_000) == "18.6 MB"
    assert words.size(220) == "220 bytes"
    assert words.plural(1, "row") == "1 row"
    assert words.listing(["a", "b", "c"]) == "a, b and c"


def test_waterline_says_identity_time_facts_actions_in_this_order() -> None:
    strip = waterline(Identity.of_user("ann@example.com"), 38, ["warehouse small", "count 2 ms"], [sql_button("s")])
    assert text_of(strip) == "Runs as ann@example.com38 mswarehouse smallcount 2 msShow SQLHide SQL"
    assert "running" not in strip.className
    running = waterline(Identity.of_user("ann"), running_since=1.0)
    assert "running" in running.className
    assert any(getattr(node, "data-clock", None) == "elapsed" for node in nodes_of(running))


def test_each_identity_has_its_own_sign() -> None:
    signs = set()
    for identity in (Identity.of_user("a"), Identity("app", "lakefront"), Identity.of_database("a")):
        (sign,) = [node.className for node in nodes_of(waterline(identity)) if "bi-" in str(node.className)]
        signs.add(sign)
    assert len(signs) == 3


def test_sql_keeps_every_character_and_marks_keywords_only_outside_quotes() -> None:
    statement = "SELECT `from`, 'where' AS x -- and SELECT\nFROM `a`.`select` WHERE y >= :p_0"
    parts = highlight(statement)
    assert text_of(parts) == statement
    marked = [(node.className, node.children) for node in parts if isinstance(node, Component)]
    assert marked == [
        ("k", "SELECT"),
        ("k", "AS"),
        ("c", "-- and SELECT"),
        ("k", "FROM"),
        ("k", "WHERE"),
        ("v", ":p_0"),
    ]
    panel = sql_panel("s", "SELECT :a", {"a": 1})
    assert ":a = 1" in text_of(panel)
    assert panel.hidden is True


def test_error_note_is_in_the_order_of_what_why_kept_and_announced() -> None:
    error = DatabaseUnavailable("57P01", "lakefront-db")
    error.technical_details["request_id"] = "abc-1"
    shown = error_note(error, "Not saved.", "What you typed is kept.")
    said = text_of(shown)
    order = ["Not saved.", error.message, "What you typed is kept.", "DATABASE_UNAVAILABLE", "57P01", "abc-1"]
    assert [said.index(part) for part in order] == sorted(said.index(part) for part in order)
    assert shown.role == "alert"


def test_error_panel_of_a_missing_sign_in_gives_the_steps() -> None:
    said = text_of(error_panel(AuthRequired("sql", "https://example.com")))
    assert "user authorization" in said
    assert "AUTH_REQUIRED" in said


def test_error_panel_shows_the_remedy_to_copy_and_no_title_twice() -> None:
    error = CatalogPermissionDenied("a", "b", "c", remedy="GRANT SELECT ON TABLE `a`.`b`.`c` TO `x`;")
    said = text_of(error_panel(error))
    assert "GRANT SELECT" in said
    assert said.replace("\u2019", "'").count("You don't have access to this table.") <= 2


def test_tabs_have_one_stop_and_name_their_panel() -> None:
    strip = tabs("kind", [Tab("a", "A", 3), Tab("b", "B")], "b", controls="panel", label="Kinds")
    assert [button.tabIndex for button in strip.children] == ["-1", "0"]
    assert [getattr(button, "aria-selected") for button in strip.children] == ["false", "true"]
    assert {getattr(button, "aria-controls") for button in strip.children} == {"panel"}


def test_meter_stays_within_its_bounds() -> None:
    assert meter(140).children.style["width"] == "100.0%"
    assert meter(-3).children.style["width"] == "0.0%"


def test_toast_with_undo_lives_thirty_seconds() -> None:
    long, short = toast("Deleted", undo_button("u")), toast("Saved")
    assert float(getattr(long, "data-expires")) - float(getattr(short, "data-expires")) == pytest.approx(
        24_000, abs=500
    )


@pytest.mark.parametrize(
    ("states", "said"),
    [
        (["ok"] * 5, "All five services are fine."),
        (["degraded", *["ok"] * 4], "Four of five services are fine. Authentication needs attention."),
        (
            ["ok", "unavailable", "starting", "ok", "ok"],
            "Three of five services are fine. Unity Catalog needs attention.",
        ),
    ],
)
def test_status_in_one_sentence(states: list[Any], said: str) -> None:
    names: list[Any] = ["authentication", "unity_catalog", "sql_warehouse", "lakebase", "model_serving"]
    assert sentence(dict(zip(names, states, strict=True))).startswith(said)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_charts_have_the_colours_of_the_stylesheet(theme: str) -> None:
    block = re.search(rf"\[data-bs-theme={theme}\] {{(.*?)^}}", STYLES, re.DOTALL | re.MULTILINE)
    assert block
    values = dict(re.findall(r"--([\w-]+): (#[0-9A-F]{6})", block.group(1)))
    assert {name: values[name] for name in TOKENS[theme]} == TOKENS[theme]
    assert template(theme)["layout"]["colorway"] == SERIES[theme]
    assert len(set(SERIES[theme])) == 6


def test_colours_stand_in_the_token_section_only() -> None:
    product = (Path(__file__).parents[2] / "dashboard" / "assets" / "product.css").read_text(encoding="utf-8")
    assert re.findall(r"#[0-9A-Fa-f]{3,8}\b|rgba?\(", product) == []
    components = STYLES.split("/* 2. Ground")[1]
    assert re.findall(r"#[0-9A-Fa-f]{6}\b", components) == []


def test_snippets_quote_what_a_shell_would_take_apart() -> None:
    shell = curl_snippet("https://w", "a b", '{"inputs": ["it\'s"]}')
    assert "/serving-endpoints/a%20b/invocations" in shell
    assert "it'\\''s" in shell
    assert "$DATABRICKS_TOKEN" in shell
    code = python_snippet("m", '{"inputs": [true, null]}')
    compile(code, "snippet", "exec")
    assert "[True, None]" in code
