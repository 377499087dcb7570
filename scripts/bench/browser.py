"""The browser: from navigation to the first data row, and the next page, in headless Chromium."""

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
_NEXT_PAGE = """
const done = arguments[arguments.length - 1];
(async () => {
  const api = await dash_ag_grid.getApiAsync("uc-grid");
  const row = (api.paginationGetCurrentPage() + 1) * api.paginationGetPageSize();
  performance.clearResourceTimings();
  const started = performance.now();
  const answer = () => Math.max(...performance.getEntriesByType("resource")
    .filter((one) => one.name.includes("_dash-update-component")).map((one) => one.responseEnd - one.requestStart));
  const look = () => api.getDisplayedRowAtIndex(row)?.data
    ? requestAnimationFrame(() => done([performance.now() - started, answer()])) : setTimeout(look, 1);
  document.getElementById("uc-pager-next").click();
  look();
})();
"""
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
        yield from _next_page(driver, 6 if quick else 15)


def _next_page(driver: webdriver.Chrome, rounds: int) -> Iterator[Line]:
    pages, answers, calls = [], [], []
    for turn in range(1, rounds + 2):
        shown, answered = (float(one) / 1000 for one in driver.execute_async_script(_NEXT_PAGE))
        time.sleep(0.3)  # what the page does after its rows is none of the API's time
        called = float(driver.execute_async_script(_API_PAGE, QUERY, turn * 100)) / 1000
        if turn > 1:
            pages.append(shown)
            answers.append(answered)
            calls.append(called)
    against, called_times = "the API's own time, from the same page", Times(tuple(calls))
    what = "next block of 100 rows, from its request to its answer"
    yield compared(PART, what, Times(tuple(answers)), called_times, against, at_most=1.5)
    what = "next page, from the click to the rows on the screen"
    yield compared(PART, what, Times(tuple(pages)), called_times, against, at_most=1.5)


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
