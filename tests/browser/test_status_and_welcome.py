"""Status and Welcome: nothing jumps when answers arrive, a refresh moves no focus and no scroll, slow checks say so."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest
from selenium.webdriver.common.keys import Keys

from tests.browser.conftest import NARROW, WIDE, Window
from tests.support.live import LiveApp

pytestmark = pytest.mark.browser
_PLACES = (
    "Object.fromEntries([...document.querySelectorAll(arguments[0])].map((one, at) => {"
    "const box = one.getBoundingClientRect(); return [at, [Math.round(box.top), Math.round(box.height)]]}))"
)
ROWS = {
    "/": "#main .lf-panel, #integrations tr, #who li, #tour li",
    "/status": "#main .lf-panel, .lf-svc-item",
}


def hold_callbacks(window: Window) -> None:
    """Let the page of the next load wait for its answers until `release` is called in it."""
    script = (
        "const real = window.fetch; let go; const gate = new Promise((done) => (go = done)); window.release = go;"
        "window.fetch = async (...a) => {"
        "if (String(a[0]?.url ?? a[0]).includes('_dash-update-component')"
        " && !/location\\.pathname/.test(String(a[1]?.body ?? ''))) await gate;"
        "return real(...a); };"
    )
    added = window.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": script})
    window.held = added["identifier"]  # type: ignore[attr-defined]


@pytest.mark.parametrize("size", [WIDE, NARROW])
@pytest.mark.parametrize("path", ["/", "/status"])
def test_nothing_jumps_when_the_answers_arrive(window: Window, path: str, size: tuple[int, int]) -> None:
    window.size(size)
    hold_callbacks(window)
    try:
        window.open(path)
        before: dict[str, Any] = window.driver.execute_script(f"return {_PLACES}", ROWS[path])
        assert before
        window.driver.execute_script("window.release()")
        window.wait_text(*(("#welcome-checked", "checked") if path == "/" else ("#status-sentence", "fine")))
        window.until("document.querySelectorAll('.lf-skel').length === 0")
        after: dict[str, Any] = window.driver.execute_script(f"return {_PLACES}", ROWS[path])
    finally:
        window.driver.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", {"identifier": window.held})  # type: ignore[attr-defined]
    moved = {at: (was, after.get(at)) for at, was in before.items() if abs(after[at][0] - was[0]) > 1}
    assert moved == {}


def test_a_refresh_moves_neither_focus_nor_scroll(window: Window) -> None:
    window.size((1440, 500))
    window.open("/status")
    window.wait_text("#status-checked", "Checked")
    window.driver.execute_script("document.querySelector('#main').scrollTop = 120")
    window.find("#status-check-now")
    window.driver.execute_script("document.querySelector('#status-check-now').focus({preventScroll: true})")
    place = window.driver.execute_script("return document.querySelector('#main').scrollTop")
    for _ in range(2):
        at = window.find("#status-checked [data-clock=ago]").get_attribute("data-at")
        window.driver.switch_to.active_element.send_keys(Keys.ENTER)
        window.until(f"document.querySelector('#status-checked [data-clock=ago]').dataset.at !== '{at}'")
        assert window.focused() == "status-check-now"
        assert window.driver.execute_script("return document.querySelector('#main').scrollTop") == place
    assert window.problems() == []


def test_a_slow_check_says_so_in_its_own_row(window: Window, live: LiveApp) -> None:
    window.open("/status")
    window.wait_text("#status-checked", "Checked")
    live.faults({"faults": [{"service": "model_serving", "match": "", "delay_seconds": 3, "times": 3}]})
    try:
        window.click("#status-check-now")
        window.until("document.querySelector('.lf-svc-item[data-checking]')", timeout=4)
        rows = window.driver.execute_script(
            "return [...document.querySelectorAll('.lf-svc-item[data-checking]')].map("
            "(one) => [one.id, getComputedStyle(one.querySelector('.lf-svc-word'), '::after').content])"
        )
        assert [("model_serving" in name, bool(re.search(r"checking, \d s", said))) for name, said in rows] == [
            (True, True)
        ]
        window.until("!document.querySelector('.lf-svc-item[data-checking]')", timeout=8)
    finally:
        live.clear_faults()


def test_the_cards_say_what_metrics_say(window: Window, live: LiveApp) -> None:
    window.open("/status")
    window.wait_text("#warm-up", "First login after")
    metrics = httpx.get(f"{live.url}/metrics").text
    most = re.search(r'lakefront_pool\{pool="lakebase",statistic="pool_max"\} (\d+)', metrics)
    minted = re.search(r'operation_seconds_count\{operation="lakebase.mint",outcome="ok"\} (\d+)', metrics)
    assert most
    assert minted
    pool = window.find("#lakebase-pool").text
    assert f"{most[1]} at most" in pool
    assert f"Tokens made\n{minted[1]}" in pool
    assert re.search(r"Median\n(\d+ ms|under 1 ms)", pool)
    assert "min left" in window.find(".lf-svc-list").text


def test_a_missing_grant_is_named_with_its_statement(window: Window, live: LiveApp) -> None:
    live.faults({"faults": [{"service": "unity_catalog", "match": "/tables/", "status": 403, "times": 20}]})
    try:
        window.open("/status")
        window.wait_text("#status-sentence", "needs a grant")
        assert window.find("#status-sentence b").text == "Unity Catalog"
        assert "GRANT SELECT ON TABLE" in window.find(".lf-svc-item.attention .lf-copy").text
        window.open("/")
        window.wait_text("#integrations", "Needs a grant")
    finally:
        live.clear_faults()


def test_the_tour_remembers_what_was_done(window: Window, live: LiveApp) -> None:
    with live.client() as client:
        client.delete("/api/v1/application-state/tour")
        window.open("/")
        window.wait_text("#welcome-tour-count", "0 of 5 done")
        window.open("/lakebase")
        window.find("#lakebase-new").send_keys(Keys.ENTER)
        window.until("document.activeElement.id === 'lakebase-key'")
        window.find("#lakebase-key").send_keys("tour.test", Keys.ENTER)
        window.wait_text("#lf-toasts", "Saved tour.test")
        client.delete("/api/v1/preferences/tour.test")
    window.open("/")
    window.wait_text("#welcome-tour-count", "1 of 5 done")
    done = [step.text for step in window.all("#tour li.done")]
    assert len(done) == 1
    assert "Save a preference" in done[0]
