"""Lakebase by keyboard alone: Tab, Enter, Ctrl+Enter, Escape, Delete and arrows do it all; the focus goes along."""

from __future__ import annotations

import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys

from tests.browser.conftest import Window
from tests.support.live import LiveApp

pytestmark = pytest.mark.browser
MOST_TABS = 60


@pytest.fixture
def page(window: Window, live: LiveApp) -> Window:
    """The page with two preferences."""
    with live.client() as client:
        for one in client.get("/api/v1/preferences").json()["preferences"]:
            client.delete(f"/api/v1/preferences/{one['preference_key']}")
        for key in ("keys.one", "keys.two"):
            client.post("/api/v1/preferences", json={"preference_key": key, "preference_value": 1})
    window.open("/lakebase")
    window.until("document.querySelectorAll('.lf-list button').length === 2")
    return window


def press(page: Window, *keys: str) -> None:
    """Send keys to whatever has the focus."""
    ActionChains(page.driver).send_keys(*keys).perform()


def chord(page: Window, modifier: str, key: str) -> None:
    """Send a key together with a modifier."""
    ActionChains(page.driver).key_down(modifier).send_keys(key).key_up(modifier).perform()


def tab_to(page: Window, script: str) -> None:
    """Press Tab until the focused element `a` fulfils a JavaScript condition; every stop shows where it is."""
    for _ in range(MOST_TABS):
        press(page, Keys.TAB)
        reached, visible = page.driver.execute_script(
            "const a = document.activeElement, s = getComputedStyle(a);"
            "const box = getComputedStyle(a.closest('.lf-json') ?? a);"
            "const ring = s.outlineStyle !== 'none' || s.boxShadow !== 'none' || box.boxShadow !== 'none'"
            " || box.outlineStyle !== 'none' || a === document.body;"
            f"return [Boolean({script}), ring]"
        )
        assert visible, page.driver.execute_script("return document.activeElement.outerHTML.slice(0, 200)")
        if reached:
            return
    raise AssertionError(f"never reached by Tab: {script}")


def test_make_edit_leave_and_delete_without_a_mouse(page: Window, live: LiveApp) -> None:
    tab_to(page, "a.id === 'lakebase-new'")
    press(page, Keys.ENTER)
    page.wait_text("#record-form-title", "New preference")
    page.until("document.activeElement.id === 'lakebase-key'")  # the focus goes where the eye goes
    press(page, "keys.three")
    page.until("document.querySelector('[data-dirty=true]')")  # a key alone is something to lose
    press(page, Keys.ENTER)  # a one-line field saves
    page.wait_text("#lf-toasts", "Saved keys.three")
    page.wait_text("#record-form-title", "Edit preference")
    tab_to(page, "a.id === 'lakebase-text'")
    chord(page, Keys.CONTROL, "a")
    press(page, "[1, 2]")
    chord(page, Keys.CONTROL, Keys.ENTER)
    page.wait_text(".lf-trail", "Updated")
    with live.client() as client:
        assert client.get("/api/v1/preferences/keys.three").json()["preference_value"] == [1, 2]

    press(page, Keys.END, " ")
    page.until("document.querySelector('[data-dirty=true]')")
    press(page, Keys.ESCAPE)
    page.wait_text("#leave-dialog", "Leave without saving?")
    page.until("document.activeElement.id === 'leave-stay'")
    press(page, Keys.ESCAPE)
    page.until("!document.getElementById('leave-dialog').open")
    assert page.focused() == "lakebase-text"
    press(page, Keys.ESCAPE)
    page.until("document.activeElement.id === 'leave-stay'")
    press(page, Keys.TAB, Keys.ENTER)
    page.until("!document.querySelector('#record-form-title')")
    assert page.driver.execute_script("return document.activeElement.dataset.key") == "keys.three"


def test_delete_on_the_list_asks_and_the_focus_stays_in_the_list(page: Window, live: LiveApp) -> None:
    tab_to(page, "a.matches('.lf-list button')")
    assert page.driver.execute_script("return document.activeElement.dataset.key") == "keys.two"
    press(page, Keys.ARROW_DOWN)
    assert page.driver.execute_script("return document.activeElement.dataset.key") == "keys.one"
    press(page, Keys.DELETE)
    page.wait_text("dialog[open]", "Delete the preference keys.one?")
    page.until("document.activeElement.id === 'lakebase-keep'")
    press(page, Keys.ESCAPE)
    page.until("!document.querySelector('dialog[open]')")
    page.until("document.activeElement.dataset.key === 'keys.one'")
    press(page, Keys.DELETE)
    page.until("document.activeElement.id === 'lakebase-keep'")
    press(page, Keys.TAB, Keys.ENTER)
    page.wait_text("#lf-toasts", "Deleted the preference keys.one")
    page.until("document.activeElement.dataset.key === 'keys.two'")
    with live.client() as client:
        assert client.get("/api/v1/preferences/keys.one").status_code == 404


def test_tabs_move_by_arrows_and_open_by_enter(page: Window) -> None:
    tab_to(page, "a.matches('[role=tab]')")
    press(page, Keys.ARROW_RIGHT)
    assert page.driver.execute_script("return document.activeElement.getAttribute('aria-selected')") == "false"
    press(page, Keys.ENTER)
    page.until("document.querySelectorAll('[role=tab]')[1].getAttribute('aria-selected') === 'true'")
    page.wait_text("#lakebase-new", "New saved view")
