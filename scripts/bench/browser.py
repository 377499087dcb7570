"""The browser: from navigation to the first data row, the next page and any other, in headless Chromium."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from typing import Any

from selenium import webdriver
from selenium.common.exceptions import WebDriverException
from selenium.webdriver.chrome.options import Options

from scripts.bench.measure import Line, Times, compared
from scripts.bench.product import TABLE, Product
from scripts.bench.unity_catalog import QUERY

PART = "Browser"
_ARGUMENTS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--window-size=1440,900", "--no-first-run")
_WATCH = """
window.firstRow = null;
const look = () => {
  const cell = document.querySelector(".ag-center-cols-container .ag-row:not(.lf-waiting) .ag-cell");
  if (cell && cell.textContent.trim()) window.firstRow = performance.now(); else requestAnimationFrame(look);
};
requestAnimationFrame(look);
"""
_FIRST_ROW = """
const done = arguments[arguments.length - 1];
const look = () => window.firstRow === null ? setTimeout(look, 5) : done(window.firstRow);
look();
"""
_TURN = """
const [number, done] = arguments;
const size = dash_ag_grid.getApi("uc-grid").paginationGetPageSize();
const row = `#uc-grid .ag-center-cols-container .ag-row[row-index="${number * size}"]:not(.lf-waiting)`;
const blocks = () => performance.getEntriesByType("resource")
  .filter((one) => one.name.includes("/query?cancel_key=")).map((one) => one.responseEnd - one.requestStart);
const drawn = () => {
  const there = performance.now() - started;
  requestAnimationFrame(() => requestAnimationFrame(() => done([there, performance.now() - started, blocks()])));
};
const watch = new MutationObserver(() => { if (document.querySelector(row)) { watch.disconnect(); drawn(); } });
watch.observe(document.getElementById("uc-grid"), {childList: true, subtree: true, attributes: true});
performance.clearResourceTimings();
const next = document.getElementById("uc-pager-next"), field = document.getElementById("uc-pager-page");
const turned = dash_ag_grid.getApi("uc-grid").paginationGetCurrentPage() + 1 === number;
const started = performance.now();
if (turned) next.click();
else {
  field.value = String(number + 1);
  field.dispatchEvent(new KeyboardEvent("keydown", {key: "Enter", bubbles: true}));
}
"""
"""Turns to a page, by the button when it is the next one, and waits until its first row is there, then painted."""
_API_PAGE = """
const [path, offset, done] = arguments;
const started = performance.now();
fetch(path, {method: "POST", headers: {"Content-Type": "application/json"}, body: JSON.stringify({limit: 100, offset})})
  .then((answer) => answer.json()).then(() => done(performance.now() - started));
"""


def run(product: Product, *, quick: bool) -> Iterator[Line]:
    """All lines of this part; one line that says why when there is no browser."""
    try:
        driver = _driver()
    except WebDriverException as error:
        yield Line(PART, "not measured: no Chromium", str(error.msg)[:120])
        return
    with contextlib.closing(_Quit(driver)):
        driver.set_script_timeout(30)
        driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": _WATCH})
        address = f"{product.url}/unity-catalog?table={TABLE}"
        found = []
        for turn in range(4 if quick else 8):
            driver.get("about:blank")
            driver.get(address)
            seconds = float(driver.execute_async_script(_FIRST_ROW)) / 1000
            if turn:
                found.append(seconds)
        times = Times(tuple(found))
        yield Line(PART, "navigation to the first data row", str(times), target="≤ 2 s", met=times.p50 <= 2)
        yield from _pages(driver, 6 if quick else 15)


def _pages(driver: webdriver.Chrome, rounds: int) -> Iterator[Line]:
    """Pages turned one after another, whose rows are read ahead, and pages anywhere, whose rows are not.

    The API's own time is that of the same request, sent by the same page, in turn with what is compared with it.
    """
    against = "the API's own time, from the same page"
    blocks: list[float] = []
    for what, pages, at_most in (
        ("the next page, from the click to its rows in the grid", range(1, rounds + 2), 1.5),
        ("any other page, from its number to its rows in the grid", range(10, 10 + 2 * (rounds + 1), 2), None),
    ):
        shown, frames, calls = [], [], []
        for place, page in enumerate(pages):
            turned, painted, read = driver.execute_async_script(_TURN, page)
            time.sleep(0.4)  # what the page does after its rows is none of the API's time
            called = float(driver.execute_async_script(_API_PAGE, QUERY, page * 100)) / 1000
            if place:  # the first next page is not read ahead: nobody has paged forward yet
                shown.append(float(turned) / 1000)
                frames.append(float(painted - turned) / 1000)
                blocks += [float(one) / 1000 for one in read]
                calls.append(called)
        yield compared(PART, what, Times(tuple(shown)), Times(tuple(calls)), against, at_most=at_most)
        yield Line(PART, "… and two more frames, until they are painted for certain", str(Times(tuple(frames))))
    what = "a block of 100 rows, from its request to its answer"
    yield compared(PART, what, Times(tuple(blocks)), Times(tuple(calls)), against, at_most=1.5)


class _Quit:
    """Ends the browser when it is closed."""

    def __init__(self, driver: webdriver.Chrome) -> None:
        self._driver = driver

    def close(self) -> None:
        """Quit."""
        self._driver.quit()


def _driver() -> Any:
    os.environ.setdefault("SE_OFFLINE", "true")  # the driver of the machine, nothing downloaded
    os.environ.setdefault("SE_AVOID_STATS", "true")
    options = Options()
    for one in _ARGUMENTS:
        options.add_argument(one)
    return webdriver.Chrome(options=options)
