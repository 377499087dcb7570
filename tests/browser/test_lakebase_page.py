"""Lakebase through its page: every step by keyboard where a person would, and honest when the database is down."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from selenium.webdriver.common.keys import Keys

from tests.browser.conftest import Window
from tests.support.live import LiveApp

pytestmark = pytest.mark.browser
KEY = "browser.view"


@pytest.fixture
def page(window: Window, live: LiveApp) -> Iterator[Window]:
    """The page with no preference but the one that a test makes."""
    with live.client() as client:
        for one in client.get("/api/v1/preferences").json()["preferences"]:
            client.delete(f"/api/v1/preferences/{one['preference_key']}")
    window.open("/lakebase")
    window.wait_text("#lakebase-available", "available")
    yield window
    live.clear_faults()


def value_of(live: LiveApp, key: str) -> str:
    """The stored value as the API sends it, letter for letter."""
    with live.client() as client:
        return client.get(f"/api/v1/preferences/{key}").text


def write(page: Window, text: str) -> None:
    """Replace the text of the JSON box."""
    box = page.find("#lakebase-text")
    box.send_keys(Keys.CONTROL, "a")
    box.send_keys(text)


def create(page: Window, key: str, text: str) -> None:
    """Make a preference by keyboard."""
    page.find("#lakebase-new").send_keys(Keys.ENTER)
    page.wait_text("#record-form-title", "New preference")
    page.find("#lakebase-key").send_keys(key)
    write(page, text)
    page.find("#lakebase-text").send_keys(Keys.CONTROL, Keys.ENTER)
    page.wait_text("#lf-toasts", f"Saved {key}")
    page.wait_text("#record-form-title", "Edit preference")


def open_record(page: Window, key: str) -> None:
    """Open a record from the list."""
    page.until(f"[...document.querySelectorAll('.lf-list .mono')].some((one) => one.textContent === '{key}')")
    for row in page.all(".lf-list button"):
        if row.text.startswith(key):
            row.send_keys(Keys.ENTER)
            break
    page.until(f"document.getElementById('lakebase-key')?.value === '{key}'")


def test_create_edit_and_see_the_change_in_the_trail(page: Window, live: LiveApp) -> None:
    create(page, KEY, '{"zoom": 12.0, "big": 123456789012345678901234567890}')
    assert '"zoom":12.0' in value_of(live, KEY).replace(" ", "")
    assert "123456789012345678901234567890" in value_of(live, KEY)
    write(page, '{"zoom": 11, "big": 123456789012345678901234567890}')
    page.until("document.querySelector('[data-dirty=true]')")
    page.find("#lakebase-text").send_keys(Keys.CONTROL, Keys.ENTER)
    page.wait_text(".lf-trail", "Updated")
    diff = page.find(".lf-trail .lf-diff").text
    assert '"zoom": 12.0' in diff
    assert '"zoom": 11' in diff
    assert "big" not in diff


def test_bad_json_is_named_and_saving_goes_to_the_place(page: Window, live: LiveApp) -> None:
    create(page, KEY, '{"a": 1}')
    write(page, '{\n"a": one\n')
    page.click("#lakebase-save")
    page.wait_text("[data-json-state]", "Line 2, column 6")
    assert page.focused() == "lakebase-text"
    assert page.driver.execute_script("return document.activeElement.selectionStart") == 7
    assert page.find("#lakebase-text").get_attribute("aria-invalid") == "true"
    assert '"a":1' in value_of(live, KEY).replace(" ", "")


def test_format_moves_white_space_only(page: Window) -> None:
    page.click("#lakebase-new")
    page.find("#lakebase-key")
    write(page, '{"x":[1.10,2e400],"s":"a  ,b"}')
    page.click("[data-json-format]")
    expected = '{\\n  "x": [1.10, 2e400],\\n  "s": "a  ,b"\\n}'
    page.until(f"document.getElementById('lakebase-text').value === '{expected}'")


def test_delete_asks_and_undo_brings_it_back(page: Window, live: LiveApp) -> None:
    create(page, KEY, '["a"]')
    page.click("#lakebase-delete")
    page.wait_text("dialog[open]", f"Delete the preference {KEY}?")
    assert page.focused() == "lakebase-keep"
    page.driver.switch_to.active_element.send_keys(Keys.ESCAPE)
    page.until("!document.querySelector('#lakebase-confirm')")
    page.click("#lakebase-delete")
    page.click("#lakebase-delete-it")
    page.wait_text("#lf-toasts", "Deleted the preference")
    page.until("![...document.querySelectorAll('.lf-list .mono')].some((one) => one.textContent === 'browser.view')")
    page.click("#lakebase-undo")
    page.wait_text("#lf-toasts", "Brought back")
    assert '["a"]' in value_of(live, KEY).replace(" ", "")


def test_leaving_with_changes_asks(page: Window) -> None:
    create(page, KEY, "1")
    write(page, "2")
    page.until("document.querySelector('[data-dirty=true]')")
    page.click(".lf-nav a[href='/status']")
    page.wait_text("#leave-dialog", "Leave without saving?")
    page.click("#leave-stay")
    page.until("!document.getElementById('leave-dialog').open")
    assert page.driver.current_url.endswith("/lakebase")
    page.click(".lf-nav a[href='/status']")
    page.click("#leave-go")
    page.wait_text("#main h1", "Status")


def test_typed_editor_of_the_theme_takes_effect_at_once(page: Window, live: LiveApp) -> None:
    create(page, "theme", '"light"')
    assert page.find("#lakebase-typed").tag_name == "select"
    page.driver.execute_script(
        "const s = document.getElementById('lakebase-typed');"
        "Object.getOwnPropertyDescriptor(HTMLSelectElement.prototype, 'value').set.call(s, '\"dark\"');"
        "s.dispatchEvent(new Event('change', {bubbles: true}))"
    )
    page.until("document.getElementById('lakebase-text').value === '\"dark\"'")
    page.click("#lakebase-save")
    page.until("document.documentElement.dataset.bsTheme === 'dark'")
    assert '"dark"' in value_of(live, "theme")


def test_database_down_keeps_the_text_over_a_reload_and_saves_when_it_is_back(
    page: Window, live: LiveApp, axe: Callable[[Window], list[str]]
) -> None:
    create(page, KEY, '"before"')
    write(page, '"typed while it was down"')
    page.until("document.querySelector('[data-dirty=true]')")
    live.faults(
        {
            "faults": [
                {"service": "lakebase_mint", "match": "", "status": 503, "times": 1000},
                {"service": "lakebase_login", "match": "", "status": 503, "times": 1000},
            ],
            "actions": ["lakebase.cut_connections"],
        }
    )
    page.click("#lakebase-save")
    page.wait_text("#lakebase-alert", "Not saved.")
    words = page.find("#lakebase-alert").text
    assert "Database service temporarily unavailable." in words
    assert "DATABASE_UNAVAILABLE" in words
    assert "Next try in" in words
    assert page.find("#lakebase-text").get_attribute("value") == '"typed while it was down"'
    assert axe(page) == []
    live.clear_faults()
    page.click("#lakebase-try-now")
    page.wait_text("#lf-toasts", f"Saved {KEY}")
    assert "typed while it was down" in value_of(live, KEY)


def test_what_was_typed_survives_a_reload(page: Window) -> None:
    create(page, KEY, "1")
    write(page, "[1, 2, 3]")
    page.until(f"Object.keys(localStorage).some((key) => key.endsWith(':{KEY}'))")
    page.driver.execute_script("document.querySelector('[data-dirty]').setAttribute('data-dirty', 'false')")
    page.open("/lakebase")
    open_record(page, KEY)
    page.until("document.getElementById('lakebase-text').value === '[1, 2, 3]'")
    page.until("document.querySelector('[data-dirty=true]')")


def test_search_and_phone_show_list_or_form(page: Window) -> None:
    create(page, "alpha", "1")
    create(page, "beta", "2")
    page.find("#lakebase-search").send_keys("alp")
    page.until("document.querySelectorAll('.lf-list button').length === 1")
    page.size((390, 844))
    assert not page.find(".pane-list").is_displayed()
    page.click("#lakebase-back")
    page.until("document.querySelector('.pane-list').offsetParent !== null")
    assert page.driver.execute_script("return document.documentElement.scrollWidth") == 390
