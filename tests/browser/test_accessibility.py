"""axe-core on each page, in both themes, at desktop, 200 % zoom and phone width; no page scrolls sideways."""

from __future__ import annotations

import pytest

from tests.browser.conftest import COLOURS, NARROW, WIDE, Axe, Window

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


def test_popover_open_has_no_violation(window: Window, axe: Axe) -> None:
    window.open("/")
    window.wait_text("#account", "@")
    window.click("#account")
    assert axe(window) == []
