"""The frame: navigation, focus, titles, themes, the account popover, and what the browser is allowed to load."""

from __future__ import annotations

import httpx
import pytest
from selenium.webdriver.common.keys import Keys

from tests.browser.conftest import Window
from tests.browser.test_accessibility import SETTLED
from tests.support.live import LiveApp

pytestmark = pytest.mark.browser


def test_going_to_a_page_changes_title_focus_and_mark_without_loading_again(window: Window) -> None:
    window.open("/")
    window.driver.execute_script("window.stillHere = true")
    window.click(".lf-nav a[href='/status']")
    window.wait_text("#main h1", "Status")
    window.until("document.title === 'Status · Lakefront'")
    assert window.focused() == "main"
    assert window.find(".lf-nav [aria-current=page]").text == "Status"
    assert window.driver.execute_script("return window.stillHere") is True
    window.driver.back()
    window.until("document.title === 'Welcome · Lakefront'")


def test_unknown_page_says_so(window: Window) -> None:
    window.open("/no-such-page")
    window.wait_text("#main h1", "There is no page")


def test_first_tab_stop_skips_to_the_content(window: Window) -> None:
    window.open("/")
    window.find("body").send_keys(Keys.TAB)
    assert window.driver.switch_to.active_element.text == "Skip to the content"
    window.driver.switch_to.active_element.send_keys(Keys.ENTER)
    assert window.focused() == "main"


def test_theme_is_kept_and_set_before_the_first_paint(window: Window) -> None:
    window.open("/")
    window.click("#theme-toggle")
    assert window.driver.execute_script("return document.documentElement.dataset.bsTheme") == "dark"
    window.open("/status")
    assert window.driver.execute_script("return document.documentElement.dataset.bsTheme") == "dark"
    page = httpx.get(window.driver.current_url).text
    assert page.index("theme.js") < page.index("</head>") < page.index("react-entry-point")


def test_account_popover_tells_identity_and_gives_the_focus_back(window: Window) -> None:
    window.open("/")
    window.wait_text("#account", "analyst@example.com")
    window.click("#account")
    words = window.find("#account-popover").text
    assert "on behalf of the user" in words
    assert "model-serving" in words
    assert "min, renewed by the platform" in words
    assert "ey" + "J" not in window.find("#account-popover").get_attribute("outerHTML")  # no token in it
    assert window.find("#account-popover a[href='/.local/sign-in']").text == "Switch account"
    window.find("#account").send_keys(Keys.ESCAPE)
    window.until("document.getElementById('account-popover').hidden")
    assert window.focused() == "account"


def test_nothing_is_loaded_from_elsewhere_and_nothing_is_refused(window: Window, live: LiveApp) -> None:
    for path in ("/", "/lakebase", "/model-serving", "/status"):
        window.open(path)
        window.until(SETTLED)
        hosts = window.driver.execute_script(
            "return [...new Set(performance.getEntriesByType('resource').map((one) => new URL(one.name).origin))]"
        )
        assert hosts == [live.url], path
        assert window.problems() == [], path


def test_policy_allows_no_inline_script(live: LiveApp) -> None:
    policy = httpx.get(live.url).headers["Content-Security-Policy"]
    scripts = next(part for part in policy.split("; ") if part.startswith("script-src"))
    assert "'unsafe-inline'" not in scripts
    assert "'unsafe-eval'" not in scripts
    assert "http" not in policy


def test_states_of_the_integrations_fill_in(window: Window) -> None:
    window.open("/")
    window.wait_text("#welcome-checked", "checked")
    states = [cell.text for cell in window.all("#integrations td .lf-state")]
    assert len(states) == 4
    assert set(states) <= {"Fine", "Starting"}


def test_status_says_all_in_one_sentence_with_identities(window: Window) -> None:
    window.open("/status")
    window.wait_text("#status-checked", "Checked")
    assert "five services" in window.find("#status-sentence").text
    rows = [row.text for row in window.all(".lf-svc-item")]
    assert len(rows) == 5
    assert any("database token" in row for row in rows)
    assert "again in" in window.find("#status-checked").text


def test_a_failing_service_comes_first_with_its_remedy(window: Window, live: LiveApp) -> None:
    live.faults({"faults": [{"service": "model_serving", "match": "", "status": 503, "times": 50}]})
    try:
        window.open("/status")
        window.wait_text("#status-checked", "Checked")
        attention = window.find(".lf-svc-item.attention")
        assert "Model Serving" in attention.text
        assert "Unavailable" in attention.text
        assert attention.location["y"] < window.all(".lf-svc-item:not(.attention)")[0].location["y"]
        assert "needs attention" in window.find("#status-sentence").text
    finally:
        live.clear_faults()
