"""The guides in the app: from the rail and from each other, their sections, a narrow screen, and the page not found."""

from __future__ import annotations

import httpx
import pytest
from selenium.webdriver.support.select import Select

from tests.browser.conftest import NARROW, Window
from tests.support.live import LiveApp

pytestmark = pytest.mark.browser
AT_THE_TOP = """
    const heading = document.getElementById(arguments[0]).getBoundingClientRect();
    const main = document.getElementById('main').getBoundingClientRect();
    return heading.top - main.top;
"""


def test_docs_is_at_the_foot_of_the_rail_and_guides_lead_to_each_other(window: Window) -> None:
    window.open("/status")
    window.driver.execute_script("window.stillHere = true")
    window.click(".lf-nav .rest a[href='/guides']")
    window.until("document.title === 'Docs · Lakefront'")
    window.wait_text("#main h1", "Docs")
    assert window.focused() == "main"
    assert window.find(".lf-nav [aria-current=page]").text == "Docs"
    window.click(".lf-guides-list a[href='/guides/architecture']")
    window.until("document.title === 'Architecture, guide · Lakefront'")
    assert window.find(".lf-guides-list [aria-current=page]").text == "Architecture"
    window.click(".lf-guide a[href='/guides/authentication']")
    window.wait_text("#main h1", "Authentication")
    assert window.driver.execute_script("return window.stillHere") is True
    window.driver.back()
    window.wait_text("#main h1", "Architecture")


def test_a_section_is_reached_by_its_link_and_by_its_address(window: Window) -> None:
    window.open("/guides/architecture")
    window.click(".lf-guides-list a[href='#guide-chosen-parts-and-why']")
    window.until("location.hash === '#guide-chosen-parts-and-why'")
    window.until("document.getElementById('main').scrollTop > 300")
    assert window.driver.execute_script("return location.pathname") == "/guides/architecture"
    window.open("/guides/unity-catalog#guide-pages")
    window.until("document.getElementById('main').scrollTop > 100")
    assert 0 <= window.driver.execute_script(AT_THE_TOP, "guide-pages") < 40


def test_code_is_copied_by_its_button(window: Window) -> None:
    window.open("/guides/authentication")
    window.click(".lf-guide-code button")
    window.wait_text(".lf-guide-code button", "Copied")


def test_on_a_phone_a_select_chooses_the_guide_and_the_account_menu_leads_here(window: Window) -> None:
    window.size(NARROW)
    window.open("/")
    window.wait_text("#account", "")
    window.until("document.querySelector('#account-popover a[href=\"/guides\"]')")
    window.click("#account")
    window.click("#account-popover a[href='/guides']")
    window.wait_text("#main h1", "Docs")
    Select(window.find("#guides-select")).select_by_visible_text("Lakebase")
    window.until("location.pathname === '/guides/lakebase'")
    window.wait_text("#main h1", "Lakebase")
    assert window.find("#guides-select").get_attribute("value") == "/guides/lakebase"


def test_an_unknown_page_is_404_and_drawn_as_designed(window: Window, live: LiveApp) -> None:
    for path in ("/nothing-here", "/unity-catalog/unknown", "/guides/none"):
        assert httpx.get(f"{live.url}{path}").status_code == 404
    window.open("/unity-catalog/unknown")
    window.wait_text("#main h1", "There is no page /unity-catalog/unknown")
    window.until("document.title === 'Not found · Lakefront'")
    assert httpx.get(f"{live.url}/api/v1/nothing").json()["error_code"] == "NOT_FOUND"
