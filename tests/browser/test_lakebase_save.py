"""Saving looks done at once and is taken back when it fails; what ran is shown; views in words; the person's theme."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from selenium.webdriver.common.keys import Keys

from tests.browser.conftest import Window
from tests.support.live import LiveApp

pytestmark = pytest.mark.browser
KEY = "early.look"
_STATEMENT = "document.getElementById('lakebase-sql')?.textContent.includes('{}')"
VIEW = {
    "table": "samples.nyctaxi.trips",
    "filter": [{"column": "trip_distance", "operator": "ge", "value": 8}],
    "sort": [{"column": "fare_amount", "direction": "desc"}],
    "hidden": ["pickup_zip"],
}


@pytest.fixture
def page(window: Window, live: LiveApp) -> Iterator[Window]:
    """The page with one preference and one saved view."""
    with live.client() as client:
        for name, prefix in (("preferences", "preference"), ("configurations", "configuration")):
            for one in client.get(f"/api/v1/{name}").json()[name]:
                client.delete(f"/api/v1/{name}/{one[f'{prefix}_key']}")
        client.post("/api/v1/preferences", json={"preference_key": KEY, "preference_value": "before"})
        client.post("/api/v1/configurations", json={"configuration_key": "long", "configuration_value": VIEW})
    window.open("/lakebase")
    window.until("document.querySelectorAll('.lf-list button').length === 1")
    yield window
    live.clear_faults()


def shown_value(page: Window) -> Any:
    """What the list shows as the record's value, the early look included."""
    return page.driver.execute_script(
        "const line = document.querySelector('.lf-list button .l2');"
        "const early = getComputedStyle(line, '::after').content;"
        "return early === 'none' ? line.innerText : early.slice(1, -1)"
    )


def test_a_save_that_fails_is_shown_at_once_and_taken_back(page: Window, live: LiveApp) -> None:
    page.click(".lf-list button")
    page.wait_text("#record-form-title", "Edit preference")
    page.find("#lakebase-text").send_keys(Keys.CONTROL, "a")
    page.find("#lakebase-text").send_keys('"after"')
    page.until("document.querySelector('[data-dirty=true]')")
    refused = {"match": "", "status": 503, "times": 1000}
    live.faults(
        {
            "faults": [{"service": name, **refused} for name in ("lakebase_mint", "lakebase_login")],
            "actions": ["lakebase.cut_connections"],
        }
    )
    page.click("#lakebase-save")
    page.until("document.querySelector('.lf-list [data-early]')", timeout=2)
    assert shown_value(page) == '\\"after\\"'
    page.wait_text("#lakebase-alert", "Not saved.")
    assert shown_value(page) == '"before"'
    assert page.find("#lakebase-save").text == "Save again"
    assert "as loaded at" in page.find("#lakebase-foot").text
    assert "analyst@example.com" in page.find("#lakebase-strip").text
    assert "gave up after" in page.find("#lakebase-strip").text
    live.clear_faults()
    page.click("#lakebase-try-now")
    page.wait_text("#lf-toasts", f"Saved {KEY}")
    page.until("!document.querySelector('[data-early]')")
    assert shown_value(page) == '"after"'
    assert page.find("#lakebase-save").text == "Save"
    page.problems()  # the failed request itself


def test_the_statement_of_each_answer_is_shown(page: Window) -> None:
    page.click("[data-toggle=lakebase-sql]")
    assert "ORDER BY updated_at DESC" in page.find("#lakebase-sql").text
    page.click(".lf-list button")
    page.wait_text("#record-form-title", "Edit preference")
    page.until(_STATEMENT.format('"preference_key" = %(key)s'))
    page.find("#lakebase-text").send_keys(Keys.CONTROL, Keys.ENTER)
    page.until(_STATEMENT.format("INSERT INTO audit_log"))  # the change and its audit row are one statement
    page.wait_text(".lf-trail", "The value stayed as it was.")
    assert page.problems() == []


def test_a_saved_view_is_said_in_words_and_opens(page: Window) -> None:
    page.click("[role=tab]:nth-of-type(2)")
    page.until("document.querySelector('.lf-list button')?.textContent.includes('long')")
    page.click(".lf-list button")
    words = page.find(".lf-view-card").text
    for said in ("samples.nyctaxi.trips", "trip_distance at least 8", "fare_amount descending", "all but pickup_zip"):
        assert said in words
    assert not page.find("#lakebase-text").is_displayed()
    address = page.find("#lakebase-open-view").get_attribute("href")
    page.click("[data-typed-off]")
    assert page.find("#lakebase-text").is_displayed()
    assert page.focused() == "lakebase-text"
    page.driver.get(address)
    page.wait_text("#main", "trip_distance")
    page.until("document.querySelector('#main .lf-chip')")
    assert "8" in page.find("#main .lf-chip").text


def test_the_theme_follows_the_person_into_another_browser(window: Window, live: LiveApp) -> None:
    window.open("/status")
    assert window.driver.execute_script("return document.documentElement.dataset.bsTheme") == "light"
    window.click("#theme-toggle")
    window.until("document.documentElement.dataset.bsTheme === 'dark'")
    with live.client() as client:
        for _ in range(50):
            if client.get("/api/v1/preferences/theme").status_code == 200:
                break
        assert client.get("/api/v1/preferences/theme").json()["preference_value"] == "dark"
        window.driver.execute_script("localStorage.clear()")  # as a browser that never saw the app
        window.open("/")
        window.until("document.documentElement.dataset.bsTheme === 'dark'")
        client.put("/api/v1/preferences/theme", json={"preference_value": "light"})
        window.open("/")  # this browser shows dark first; the record wins
        window.until("document.documentElement.dataset.bsTheme === 'light'")
        client.delete("/api/v1/preferences/theme")
