"""axe-core on each page, in both themes, at desktop, 200 % zoom and phone width; no page scrolls sideways."""

from __future__ import annotations

import time

import pytest

from tests.browser.conftest import COLOURS, NARROW, WIDE, Axe, Window
from tests.support.live import LiveApp

pytestmark = pytest.mark.browser
SETTLED = "[...document.querySelectorAll('.lf-skel, [aria-busy=true]')].every((one) => !one.checkVisibility())"
"""Nothing that is seen still waits; what opens on demand may."""
PAGES = ("/", "/lakebase", "/model-serving", "/status", "/guides", "/guides/authentication", "/nothing-here")


@pytest.mark.parametrize("path", PAGES)
def test_no_violation(window: Window, axe: Axe, path: str) -> None:
    window.open(path)
    window.until(SETTLED)
    for size in (WIDE, (720, 450), NARROW):
        window.size(size)
        window.theme("light")
        assert axe(window) == [], (path, size)
        window.theme("dark")
        assert axe(window, rules=COLOURS) == [], (path, size)


@pytest.mark.parametrize("path", PAGES)
def test_no_page_scrolls_sideways_at_320(window: Window, path: str) -> None:
    window.size((320, 700))
    window.open(path)
    window.until(SETTLED)
    assert window.driver.execute_script("return document.documentElement.scrollWidth") == 320
    assert (
        window.driver.execute_script("const m = document.getElementById('main'); return m.scrollWidth - m.clientWidth")
        == 0
    )


TABLE = "/unity-catalog?table=samples.nyctaxi.trips"
STATES = {
    "rows": (TABLE, "#uc-grid .ag-row:not(.lf-waiting) [col-id]"),
    "chart": (f"{TABLE}&view=chart", "#uc-chart .js-plotly-plot"),
    "profile": (f"{TABLE}&view=profile", ".lf-profile .lf-hist"),
    "details": (f"{TABLE}&view=details", ".lf-detail-side"),
    "missing": ("/unity-catalog?table=samples.nyctaxi.trip", ".lf-nearest"),
    "no page": ("/nowhere", "#main h1"),
}
"""States of the catalog page, and the page that is not there: where to find each, and what shows that it is drawn."""


@pytest.fixture(scope="module")
def table_is_there(live: LiveApp) -> None:
    """Wait until the sample table is made: the app serves before."""
    rows = "/api/v1/unity-catalog/tables/samples/nyctaxi/trips/rows?limit=1"
    deadline = time.monotonic() + 60
    with live.client() as client:
        while client.get(rows).status_code != 200:
            assert time.monotonic() < deadline, "the sample data never came"
            time.sleep(0.2)


@pytest.mark.usefixtures("table_is_there")
@pytest.mark.parametrize("name", STATES)
def test_no_state_scrolls_sideways_or_has_a_violation(window: Window, axe: Axe, name: str) -> None:
    path, drawn = STATES[name]
    window.open(path, drawn)
    window.until(SETTLED)
    for width, height in ((1024, 768), (720, 900), (320, 700)):
        window.size((width, height))
        window.until(
            "(m => document.documentElement.scrollWidth === innerWidth && m.scrollWidth === m.clientWidth)"
            "(document.getElementById('main'))"
        )
        assert axe(window) == [], (name, width)
    window.problems()  # a table that is not there is a refused request


@pytest.mark.usefixtures("table_is_there")
def test_menus_of_the_catalog_page_stand_inside_the_window(window: Window, axe: Axe) -> None:
    window.open(*STATES["rows"])
    window.until(SETTLED)
    for menu in ("uc-export-menu", "uc-columns-menu", "uc-jump"):
        opener = f"[data-toggle={menu}]:not(.lf-pop *)"
        window.click(opener)
        left, top, right, bottom = window.driver.execute_script(
            f"const r = document.getElementById('{menu}').getBoundingClientRect();"
            "return [r.left, r.top, innerWidth - r.right, innerHeight - r.bottom]"
        )
        assert min(left, top, right, bottom) >= 0, menu
        assert axe(window) == [], menu
        window.click(opener)


@pytest.mark.usefixtures("table_is_there")
def test_controls_are_40_pixels_high_on_a_phone(window: Window) -> None:
    window.size(NARROW)
    for path in (*PAGES, TABLE):
        window.open(path)
        window.until(SETTLED)
        low = window.driver.execute_script(
            "return [...document.querySelectorAll('#main .btn, #main .form-select, #main .form-control, #account')]"
            ".filter((one) => one.checkVisibility({visibilityProperty: true}) && one.offsetWidth > 1)"
            ".filter((one) => one.getBoundingClientRect().height < 39.5)"
            ".map((one) => one.id || one.textContent)"
        )
        assert low == [], path


def test_popover_open_has_no_violation(window: Window, axe: Axe) -> None:
    window.open("/")
    window.wait_text("#account", "@")
    window.click("#account")
    assert axe(window) == []
