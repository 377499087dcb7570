"""What governance looks like in the explorer: signs in the tree, the column profile, refused and missing tables."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest
from selenium.webdriver.common.keys import Keys

from tests.browser.conftest import NARROW, Axe, Window
from tests.support.live import LiveApp

pytestmark = pytest.mark.browser
LINE = "document.querySelector('#uc-tree [id*=\"{table}\"]')"
SHARES = """
    const table = document.querySelector('.lf-frequent'), cells = [...table.rows[0].cells];
    const box = (node) => node.getBoundingClientRect();
    const text = document.createRange();
    text.selectNodeContents(cells[1]);
    return {
      indent: box(cells[0]).left - box(table.parentElement).left,
      padding: getComputedStyle(cells[0]).paddingLeft,
      lines: text.getClientRects().length,
      right: box(table.parentElement).right - box(cells[2]).right,
    };
"""


@pytest.fixture(scope="module", autouse=True)
def loaded(live: LiveApp) -> None:
    """The sample data are there, and no answer of before is kept."""
    with live.client() as client:
        deadline = time.monotonic() + 90
        while "lakefront" not in client.get("/api/v1/unity-catalog/catalogs?refresh=true").text:
            assert time.monotonic() < deadline, "the sample data were not loaded"
            time.sleep(0.3)
        while client.get("/api/v1/unity-catalog/tables/lakefront/restricted/salaries").status_code != 403:
            assert time.monotonic() < deadline, "the sample data were not loaded"
            time.sleep(0.3)


@pytest.fixture
def newcomer(window: Window) -> Iterator[Window]:
    """The window, signed in as somebody who sees the samples only, by the form that people use."""
    window.driver.get(window.driver.current_url.replace("/assets/favicon.svg", "/.local/sign-in"))
    window.click("button[value='newcomer@example.com']")
    window.wait_text("#account", "newcomer@example.com")
    yield window
    window.driver.delete_all_cookies()


def choose_column(window: Window, name: str) -> None:
    window.until("document.querySelector('#uc-inspect-box h2')")
    window.driver.execute_script("dash_clientside.set_props('uc-column', {data: {name: arguments[0]}})", name)
    window.wait_text("#uc-inspect-box h2", name)


def test_the_tree_shows_which_tables_are_filtered_and_masked(window: Window) -> None:
    window.open("/unity-catalog?table=lakefront.sales.orders")
    window.until(LINE.format(table="orders"))
    for table, sign, title, words in (
        ("orders", "bi-funnel", "Row filter", "orders, has a row filter"),
        ("customers", "bi-eye-slash", "Masked columns", "customers, has masked columns"),
    ):
        line = LINE.format(table=table)
        assert window.driver.execute_script(f"return {line}.textContent") == words
        icon = f"{line}.querySelector('.lf-rules .{sign}')"
        assert window.driver.execute_script(f"return {icon}.parentElement.title") == title
        assert window.driver.execute_script(f"return {icon}.getBoundingClientRect().width") > 12


def test_a_tree_that_cannot_be_read_is_tried_again_with_the_keys(window: Window, live: LiveApp, axe: Axe) -> None:
    window.open("/unity-catalog?table=lakefront.sales.orders")
    window.until(LINE.format(table="orders"))
    live.faults({"faults": [{"service": "unity_catalog", "match": "/catalogs", "status": 400, "times": 1}]})
    try:
        window.click("#uc-tree-refresh")
        window.until("document.querySelector('#uc-tree .lf-tree-retry')")
        assert axe(window, "#uc-tree-box") == []
    finally:
        live.clear_faults()
    window.driver.execute_script("document.querySelector('#uc-tree [role=treeitem][tabindex=\"0\"]').focus()")
    window.driver.switch_to.active_element.send_keys(Keys.ENTER)
    window.until(LINE.format(table="orders"))
    assert not window.all("#uc-tree .lf-tree-retry")


@pytest.mark.parametrize("size", [(1440, 900), NARROW])
def test_frequent_values_stand_at_the_edge_on_one_line(window: Window, size: tuple[int, int]) -> None:
    window.size(size)
    window.open("/unity-catalog?table=lakefront.sales.orders")
    if size == NARROW:
        window.until("document.querySelector('.ag-row-first .ag-cell')?.textContent")
        window.driver.execute_script("document.getElementById('uc-inspect-more').click()")
    choose_column(window, "status")
    window.until("document.querySelector('.lf-frequent')?.checkVisibility()")
    drawn = window.driver.execute_script(SHARES)
    assert drawn == {"indent": 0, "padding": "0px", "lines": 1, "right": 0}


def test_a_key_has_no_frequent_values_and_says_so(window: Window) -> None:
    window.open("/unity-catalog?table=lakefront.sales.orders")
    choose_column(window, "order_id")
    window.wait_text("#uc-inspect-box", "All values are distinct.")
    assert window.all(".lf-frequent") == []


def test_a_refused_table_tells_what_is_held_and_grants_the_rest(
    window: Window, axe: Callable[[Window], list[str]]
) -> None:
    window.open("/unity-catalog?table=lakefront.restricted.salaries")
    window.wait_text("#uc-panel h2", "have access to this table.")
    assert "one is there already" in window.find("#uc-panel").text
    grants = window.find("#uc-panel .lf-copy code").text
    assert grants.startswith("GRANT USE SCHEMA ON SCHEMA `lakefront`.`restricted` TO `analyst@example.com`;")
    assert "USE CATALOG" not in grants
    held = [one.text for one in window.all("#uc-panel .lf-kv dd")]
    assert held == ["You have it", "Missing", "The catalog does not tell"]
    for theme in ("light", "dark"):
        window.theme(theme)
        assert axe(window) == []


def test_a_newcomer_is_told_no_owner_and_no_hidden_name(newcomer: Window) -> None:
    newcomer.open("/unity-catalog?table=lakefront.sales.orders")
    newcomer.wait_text("#uc-panel h2", "have access to this table.")
    assert newcomer.find("#uc-panel .lf-copy code").text.count("GRANT") == 3
    assert "Its owner" not in newcomer.find("#uc-panel").text
    newcomer.open("/unity-catalog?table=samples.nyctaxi.order")
    newcomer.wait_text("#uc-panel h2", "There is no table samples.nyctaxi.order")
    assert "lakefront" not in newcomer.find("#main").text
    newcomer.open("/unity-catalog?table=samples.nyctaxi.trip")
    newcomer.wait_text("#uc-panel .lf-nearest", "samples.nyctaxi.trips")
