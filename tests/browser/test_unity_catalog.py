# ruff: noqa: RUF001 - the page writes dashes, minus signs and quotes as people print them
"""The Unity Catalog page: find a table, read it, narrow it, see it, take it away; and what it says when it cannot."""

from __future__ import annotations

import csv
import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from databricks.sdk import WorkspaceClient
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select

from tests.browser.conftest import COLOURS, NARROW, WIDE, Axe, Window
from tests.support.live import LiveApp

pytestmark = pytest.mark.browser
TRIPS, CUSTOMERS = "samples.nyctaxi.trips", "lakefront.sales.customers"
CALLS = """
window.__calls = [];
const send = window.fetch;
window.fetch = function (url, options) {
  if (String(url).includes("_dash-update")) window.__calls.push(JSON.parse(options.body).changedPropIds.join(","));
  if (String(url).includes("/query?")) window.__calls.push(`rows ${JSON.parse(options.body).offset}`);
  return send.apply(this, arguments);
};
"""


@pytest.fixture(scope="module", autouse=True)
def sample_data(live: LiveApp) -> None:
    """Wait until the sample tables are there: they are made while the app already serves."""
    client = live.client()
    deadline = time.monotonic() + 60
    while "lakefront" not in client.get("/api/v1/unity-catalog/catalogs?refresh=true").text:
        assert time.monotonic() < deadline, "the sample data never came"
        time.sleep(0.2)
    while client.get("/api/v1/unity-catalog/tables/lakefront/restricted/salaries").status_code != 403:
        assert time.monotonic() < deadline, "the sample data never came"
        time.sleep(0.2)


@pytest.fixture(autouse=True)
def quiet(window: Window) -> Iterator[None]:
    """No test may leave an error on the browser's console."""
    yield
    assert window.problems() == []


def visit(window: Window, table: str = TRIPS, **parts: object) -> None:
    """Open a table by its address."""
    query = "&".join(
        f"{name}={quote(value if isinstance(value, str) else json.dumps(value))}" for name, value in parts.items()
    )
    window.open(f"/unity-catalog?table={table}{'&' + query if query else ''}", "#table-name")


def rows_are_there(window: Window) -> None:
    """Wait until the first row has its values and the total is known."""
    window.until("document.querySelector('#uc-grid .ag-row:not(.lf-waiting) [col-id]')")
    window.until("/rows?$/.test(document.getElementById('uc-count-text').textContent)")


def column(window: Window, name: str) -> list[str]:
    """The values of a column that are drawn now."""
    values: list[str] = window.driver.execute_script(
        "const at = (cell) => Number(cell.closest('.ag-row').getAttribute('row-index'));"
        "return [...document.querySelectorAll(`#uc-grid .ag-row [col-id='${arguments[0]}']`)]"
        ".sort((a, b) => at(a) - at(b))"
        ".map((cell) => cell.textContent)",
        name,
    )
    return values


def press(window: Window, *keys: str) -> None:
    """Press keys where the focus is."""
    chain = ActionChains(window.driver)
    for key in keys:
        chain.send_keys(key)
    chain.perform()


def address(window: Window) -> dict[str, str]:
    """What the address spells."""
    return {name: values[-1] for name, values in parse_qs(urlsplit(window.driver.current_url).query).items()}


def select(window: Window, identifier: str, value: str) -> None:
    """Choose in a native select."""
    Select(window.find(f"#{identifier}")).select_by_value(value)


def chips(window: Window) -> list[str]:
    """The words of the filter's chips."""
    found: list[str] = window.driver.execute_script(
        "return [...document.querySelectorAll('.lf-chip > button:first-child')].map((one) => one.textContent)"
    )
    return found


def total(window: Window) -> str:
    """The words at the end of the filter bar."""
    return window.find("#uc-count-text").text


def test_arrival_asks_for_each_thing_once(window: Window) -> None:
    script = window.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": CALLS})
    try:
        visit(window)
        rows_are_there(window)
        window.until("document.querySelector('#uc-inspector .lf-hist')")
        calls = window.driver.execute_script("return window.__calls")
    finally:
        window.driver.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", script)
    for store in ("rows 0", "uc-count-ask.data", "uc-column.data", "uc-sought.data"):
        assert calls.count(store) == 1, (store, calls)
    assert len(calls) <= 12, calls
    strip = window.find("#uc-strip").text
    for words in ("Runs as analyst@example.com", "warehouse lakefront-small, running", "count took"):
        assert words in strip
    assert total(window) == "21,932 rows"


def test_the_first_rows_are_asked_for_while_the_grid_is_still_being_made(window: Window, live: LiveApp) -> None:
    grid = ["*async-community*"]
    window.driver.execute_cdp_cmd("Network.enable", {})
    window.driver.execute_cdp_cmd("Network.setBlockedURLs", {"urls": grid})
    try:
        window.driver.execute_cdp_cmd("Network.setCacheDisabled", {"cacheDisabled": True})
        visit(window)
        asked = "performance.getEntriesByType('resource').filter((one) => one.name.includes('/query?cancel_key='))"
        window.until(f"{asked}.length === 1 && {asked}[0].responseEnd > 0")
        assert not window.all("#uc-grid .ag-root"), "the grid is there: nothing is proven"
    finally:
        window.driver.execute_cdp_cmd("Network.setBlockedURLs", {"urls": []})
        window.driver.execute_cdp_cmd("Network.setCacheDisabled", {"cacheDisabled": False})
    window.problems()


def test_six_columns_are_uncut_beside_tree_and_profile(window: Window) -> None:
    visit(window)
    rows_are_there(window)
    right, edges = window.driver.execute_script(
        "return [document.querySelector('.ag-center-cols-viewport').getBoundingClientRect().right,"
        " [...document.querySelectorAll('#uc-grid .ag-header-cell')].map((one) => one.getBoundingClientRect().right)]"
    )
    assert len(edges) == 7
    assert max(edges) <= right + 1
    assert (
        window.driver.execute_script(
            "return [...document.querySelectorAll('#uc-grid .ag-row')]"
            ".filter((one) => one.getBoundingClientRect().bottom <= "
            "document.querySelector('.ag-body-viewport').getBoundingClientRect().bottom).length"
        )
        >= 21
    )


def test_a_table_is_opened_with_the_keyboard_alone(window: Window) -> None:
    visit(window)
    rows_are_there(window)
    window.driver.execute_script("document.querySelector('#uc-tree [tabindex=\"0\"]').focus()")
    press(window, Keys.HOME, Keys.ARROW_RIGHT)
    window.until("document.querySelector('#uc-tree [aria-level=\"2\"]')?.textContent.includes('sales')")
    press(window, Keys.ARROW_DOWN, Keys.ARROW_RIGHT)
    window.until(
        "[...document.querySelectorAll('#uc-tree [aria-level=\"3\"]')].some((x) => x.textContent.startsWith('orders'))"
    )
    press(window, "o", Keys.ENTER)
    window.wait_text("#table-name", "orders")
    rows_are_there(window)
    assert address(window)["table"] == "lakefront.sales.orders"
    assert "Row filter" in window.find(".lf-title").text
    window.driver.back()
    window.wait_text("#table-name", "trips")


def test_search_looks_into_closed_schemas(window: Window) -> None:
    visit(window)
    window.find("#uc-tree-filter").send_keys("custom")
    window.until(
        "[...document.querySelectorAll('#uc-tree [aria-level=\"3\"]')]"
        ".map((x) => x.textContent.split(',')[0]).join() === 'customers'"
    )
    window.find("#uc-tree-filter").send_keys("zzz")
    window.wait_text("#uc-tree", "No table that you may see is called")


def test_pages_and_rows_are_reached_by_number(window: Window) -> None:
    visit(window)
    rows_are_there(window)
    window.click("#uc-pager-next")
    window.wait_text("#uc-pager-place", "101–200")
    window.until("document.querySelector('#uc-grid .ag-row[row-index=\"100\"]:not(.lf-waiting)')")
    page = window.find("#uc-pager-page")
    page.send_keys(Keys.CONTROL, "a")
    page.send_keys("999", Keys.ENTER)
    window.wait_text("#uc-pager-message", "Whole number from 1 to 220 expected")
    assert "101–200" in window.find("#uc-pager-place").text
    page.send_keys(Keys.CONTROL, "a")
    page.send_keys("220", Keys.ENTER)
    window.wait_text("#uc-pager-place", "21,901–21,932")
    assert window.find("#uc-pager-next").get_attribute("disabled")
    window.click("[data-pop=uc-jump]")
    window.find("#uc-jump-row").send_keys("5000", Keys.ENTER)
    window.wait_text("#uc-pager-place", "4,901–5,000")
    window.until("document.activeElement.closest('.ag-row')?.getAttribute('row-index') === '4999'")


def test_sorting_is_in_the_address_and_comes_back_from_it(window: Window) -> None:
    visit(window)
    rows_are_there(window)
    window.click("#uc-grid .ag-header-cell[col-id=fare_amount] .ag-header-cell-label")
    window.until("new URLSearchParams(location.search).has('sort')")
    window.until("document.querySelector('#uc-grid .ag-row[row-index=\"0\"]:not(.lf-waiting)')")
    ascending = [float(value.replace("−", "-")) for value in column(window, "fare_amount")[:20]]
    assert ascending == sorted(ascending)
    window.driver.execute_script("document.querySelector('#uc-grid .ag-header-cell[col-id=trip_distance]').focus()")
    ActionChains(window.driver).key_down(Keys.SHIFT).send_keys(Keys.ENTER).key_up(Keys.SHIFT).perform()
    window.until("JSON.parse(new URLSearchParams(location.search).get('sort')).length === 2")
    assert [one["column"] for one in json.loads(address(window)["sort"])] == ["fare_amount", "trip_distance"]
    visit(window, sort=[{"column": "fare_amount", "direction": "desc"}])
    rows_are_there(window)
    assert window.find("#uc-grid .ag-header-cell[col-id=fare_amount]").get_attribute("aria-sort") == "descending"
    descending = [float(value) for value in column(window, "fare_amount")[:20]]
    assert descending == sorted(descending, reverse=True)


def test_a_filter_by_keys_with_a_wrong_value_first(window: Window) -> None:
    visit(window)
    rows_are_there(window)
    window.driver.execute_script("document.getElementById('uc-filter-add').focus()")
    press(window, Keys.ENTER)
    window.until("document.activeElement.id === 'uc-filter-column'")
    press(window, "fare")
    window.until("document.getElementById('uc-filter-column').value === 'fare_amount'")
    window.wait_text("#uc-filter-value-box", "DOUBLE")
    window.find("#uc-filter-value").send_keys("much", Keys.ENTER)
    window.wait_text("#uc-filter-value-box", "A number expected, not 'much'.")
    assert window.find("#uc-filter-value").get_attribute("aria-invalid") == "true"
    window.find("#uc-filter-value").send_keys(Keys.CONTROL, "a")
    window.find("#uc-filter-value").send_keys("50", Keys.ENTER)
    window.until("document.querySelector('.lf-chip')")
    assert chips(window) == ["fare_amount at least 50"]
    window.until("document.getElementById('uc-count-text').textContent.includes(' of 21,932 rows')")
    assert all(float(value) >= 50 for value in column(window, "fare_amount"))
    assert json.loads(address(window)["filter"]) == [{"column": "fare_amount", "operator": "ge", "value": 50.0}]
    window.until("document.activeElement.id === 'uc-filter-add'")
    window.driver.execute_script("document.querySelector('.lf-chip button').focus()")
    press(window, Keys.ENTER)
    window.until("document.activeElement.id === 'uc-filter-value'")
    press(window, Keys.ESCAPE)
    window.until("!document.querySelector('.lf-filter-form')")
    window.driver.execute_script("document.querySelector('.lf-chip button').focus()")
    press(window, Keys.DELETE)
    window.until("document.getElementById('uc-count-text').textContent === '21,932 rows'")
    window.until("document.activeElement.id === 'uc-filter-add'")


def test_columns_are_hidden_and_the_link_remembers_it(window: Window) -> None:
    visit(window)
    rows_are_there(window)
    window.click(".lf-bar [data-pop=uc-columns-menu]")
    window.click("#uc-columns-menu input[value=dropoff_zip]")
    window.until("!document.querySelector('#uc-grid .ag-header-cell[col-id=dropoff_zip]')")
    assert window.find("#uc-columns-count").text == "5"
    assert json.loads(address(window)["hidden"]) == ["dropoff_zip"]
    press(window, Keys.ESCAPE)
    assert not window.find("#uc-columns-menu").is_displayed()
    window.click("#uc-inspect-toggle")
    assert not window.find("#uc-inspect-box").is_displayed()
    assert window.find("#uc-inspect-toggle").get_attribute("aria-pressed") == "false"


def test_the_profile_follows_the_column_and_shows_what_the_filter_keeps(window: Window, live: LiveApp) -> None:
    visit(window, filter=[{"column": "fare_amount", "operator": "ge", "value": 25}])
    rows_are_there(window)
    window.click("#uc-grid .ag-row[row-index='0'] [col-id=fare_amount]")
    window.wait_text("#uc-inspector", "25 ▸ filter keeps")
    assert window.all("#uc-inspector .lf-hist i.in")
    assert window.all("#uc-inspector .lf-hist i:not(.in)")
    figures = (
        live.client()
        .post("/api/v1/unity-catalog/tables/samples/nyctaxi/trips/profile", json={"columns": ["fare_amount"]})
        .json()["columns"][0]
    )
    for name, value in (("Mean", figures["mean"]), ("Median, about", figures["median"])):
        written = window.driver.execute_script(
            "return [...document.querySelectorAll('#uc-inspector dt')]"
            ".find((one) => one.textContent === arguments[0]).nextElementSibling.textContent",
            name,
        )
        assert float(written) == round(value, 2), (name, written)
    window.click("#uc-inspect-next")
    window.wait_text("#uc-inspector h2", "pickup_zip")


def test_a_chart_leads_to_its_rows(window: Window) -> None:
    visit(window, view="chart")
    window.until("document.querySelectorAll('.lf-data tbody tr').length > 50")
    window.until("/rows$/.test(document.getElementById('uc-count-text').textContent)")
    assert "number of rows" in window.find(".lf-figure").text
    assert "Second group" in window.find("#uc-chart-say").text
    window.driver.execute_script("document.querySelector('.lf-data [data-group=\"3\"]').focus()")
    press(window, Keys.ENTER)
    window.wait_text("#uc-chart-pick", "2016-01-04")
    figure = window.find("#uc-chart-pick").text.split("number of rows ")[1].split()[0]
    window.click("#uc-chart-rows")
    rows_are_there(window)
    window.until(f"document.getElementById('uc-count-text').textContent.startsWith('{figure} of ')")
    assert all(value.startswith("2016-01-04") for value in column(window, "tpep_pickup_datetime"))


def test_the_sentence_draws_two_panels_and_a_second_group(window: Window) -> None:
    visit(window, view="chart")
    window.until("document.querySelectorAll('.lf-data tbody tr').length > 50")
    select(window, "uc-chart-second", "avg:fare_amount")
    window.wait_text(".lf-data thead", "Average of fare_amount")
    assert window.all("#uc-chart .yaxislayer-above, #uc-chart .y2tick")
    window.click("#uc-chart-add-group")
    window.find("#uc-chart-group2")
    window.until("document.querySelector('.lf-data thead').textContent.includes('·')")
    assert json.loads(address(window)["chart"])["second"] == "avg:fare_amount"


def test_profile_and_details(window: Window) -> None:
    visit(window, view="profile")
    window.until("document.querySelectorAll('.lf-profile .lf-hist, .lf-profile .lf-freq').length >= 6")
    assert "21,932 rows read" in window.find("#uc-strip").text
    assert "21,932 rows" in total(window)
    visit(window, CUSTOMERS, view="details")
    window.wait_text("#uc-panel", "What you do not see")
    text = window.find("#uc-panel").text
    for words in ("customer_id key", "email masked", "Privileges of analyst@example.com", "mask_email on email"):
        assert words in text.replace("\n", " "), words
    assert not window.find("#uc-filter-bar").is_displayed()


def test_export_arrives_whole_and_in_order(window: Window) -> None:
    visit(
        window,
        filter=[{"column": "fare_amount", "operator": "ge", "value": 40}],
        sort=[{"column": "fare_amount", "direction": "desc"}],
    )
    rows_are_there(window)
    expected = int(total(window).split()[0].replace(",", ""))
    window.click("[data-pop=uc-export-menu]")
    next(one for one in window.all("#uc-export-menu button") if "CSV" in one.text).click()
    window.wait_text("#uc-job-box", "Exported to CSV")
    folder = Path(window.browser.download_path)
    deadline = time.monotonic() + 10
    while not (folder / "trips.csv").exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    with (folder / "trips.csv").open(encoding="utf-8-sig", newline="") as file:
        fares = [float(row["fare_amount"]) for row in csv.DictReader(file)]
    assert len(fares) == expected
    assert fares == sorted(fares, reverse=True)
    (folder / "trips.csv").unlink()
    window.click("#uc-job-box button")


def test_a_saved_view_opens_again(window: Window, live: LiveApp) -> None:
    key = f"long-{time.time_ns()}"
    visit(window, filter=[{"column": "trip_distance", "operator": "gt", "value": 12}], hidden=["dropoff_zip"])
    rows_are_there(window)
    window.click("#uc-save-view")
    window.until("document.activeElement.id === 'uc-save-name'")
    window.find("#uc-save-name").send_keys(Keys.CONTROL, "a")
    window.find("#uc-save-name").send_keys(key, Keys.ENTER)
    window.wait_text("#lf-toasts", f"Saved as {key}")
    window.driver.execute_script("document.querySelector('#lf-toasts #uc-save-views').focus()")
    press(window, Keys.ENTER)
    window.until("document.activeElement.id === 'uc-save-name'")
    window.until(f"document.querySelector('.lf-saved a[href*=\"{key}\"]')")
    press(window, Keys.ESCAPE)
    stored = live.client().get(f"/api/v1/configurations/{key}").json()
    assert "trip_distance" in json.dumps(stored)
    visit(window, CUSTOMERS)
    window.wait_text("#table-name", "customers")
    window.driver.execute_script("document.getElementById('uc-save-view').focus()")
    press(window, Keys.ENTER)
    window.until("document.activeElement.id === 'uc-save-name'")
    window.until(f"document.querySelector('.lf-saved a[href*=\"{key}\"]')")
    press(window, Keys.TAB, Keys.TAB, Keys.TAB)  # past Cancel and Save view, to the list
    while window.driver.execute_script("return document.activeElement.textContent") != key:
        assert window.driver.execute_script("return Boolean(document.activeElement.closest('.lf-saved'))")
        press(window, Keys.TAB)
    press(window, Keys.ENTER)
    window.wait_text("#table-name", "trips")
    rows_are_there(window)
    assert chips(window) == ["trip_distance greater than 12"]
    assert not window.all("#uc-grid .ag-header-cell[col-id=dropoff_zip]")


def place_is_kept(live: LiveApp, filters: int) -> None:
    """Wait until the application state holds the place with that many conditions."""
    deadline = time.monotonic() + 8
    with live.client() as client:
        while time.monotonic() < deadline:
            kept = client.get("/api/v1/application-state/unity_catalog.place")
            if kept.status_code == 200 and len(kept.json()["state_value"]["filter"]) == filters:
                return
            time.sleep(0.2)
    raise AssertionError(f"not kept: {kept.status_code} {kept.text}")


def test_the_place_and_the_preferences_hold_for_the_next_visit(window: Window, live: LiveApp) -> None:
    client = live.client()
    for name, value in (("grid.page_size", 25), ("date_format", "DD.MM.YYYY HH:mm:ss")):
        body = {"preference_key": name, "preference_value": value}
        assert client.post("/api/v1/preferences", json=body).status_code == 201
    try:
        visit(window, filter=[{"column": "trip_distance", "operator": "gt", "value": 3}])
        rows_are_there(window)
        window.wait_text("#uc-pager-place", "1–25")
        assert column(window, "tpep_pickup_datetime")[0][2::3][:2] == ".."
        place_is_kept(live, filters=1)  # what a link led to
        window.click(".lf-chip button + button")
        window.until("document.getElementById('uc-count-text').textContent === '21,932 rows'")
        place_is_kept(live, filters=0)
        window.open("/unity-catalog", "#table-name")
        window.wait_text("#table-name", "trips")
        rows_are_there(window)
        assert total(window) == "21,932 rows"
    finally:
        for name in ("grid.page_size", "date_format"):
            client.delete(f"/api/v1/preferences/{name}")


def test_a_database_that_is_away_does_not_disturb(window: Window, live: LiveApp) -> None:
    live.faults(
        {
            "faults": [{"service": "lakebase_login", "status": 503, "times": 1000}],
            "actions": ["lakebase.cut_connections"],
        }
    )
    try:
        window.open("/unity-catalog", "#table-name")
        window.wait_text("#table-name", "trips")
        rows_are_there(window)
        assert not window.all(".lf-toast:not(.gone)")
    finally:
        live.clear_faults()


def test_denied_missing_and_empty_have_their_states(window: Window, axe: Axe) -> None:
    visit(window, "lakefront.restricted.salaries")
    window.wait_text("#uc-panel", "You don’t have access to this table.")
    text = window.find("#uc-panel").text
    assert "GRANT SELECT ON TABLE `lakefront`.`restricted`.`salaries` TO `analyst@example.com`;" in text
    assert "CATALOG_PERMISSION_DENIED" in text
    assert "request " in text
    assert "refused by Unity Catalog" in window.find("#uc-strip").text
    assert axe(window) == []
    visit(window, "lakefront.sales.order")
    window.wait_text("#uc-panel", "There is no table lakefront.sales.order")
    window.click(".lf-nearest a")
    window.wait_text("#table-name", "orders")
    rows_are_there(window)
    visit(
        window,
        filter=[
            {"column": "fare_amount", "operator": "ge", "value": 25},
            {"column": "trip_distance", "operator": "gt", "value": 400},
        ],
    )
    window.wait_text("#uc-grid-state", "No row matches these 2 filters")
    assert "Without the last filter, trip_distance greater than 400," in window.find("#uc-grid-state").text
    assert axe(window) == []
    window.click("#uc-empty-remove")
    window.until("document.getElementById('uc-grid-state').textContent === ''")
    window.until("/^[1-9][0-9,]* of 21,932 rows$/.test(document.getElementById('uc-count-text').textContent)")


def test_a_cold_warehouse_is_shown_and_cancelling_returns_the_old_filter(window: Window, live: LiveApp) -> None:
    visit(window)
    rows_are_there(window)
    live.faults({"faults": [{"service": "sql_warehouse_start", "delay_seconds": 9}], "actions": ["sql_warehouse.stop"]})
    try:
        window.click("#uc-filter-add")
        select(window, "uc-filter-column", "trip_distance")
        window.wait_text("#uc-filter-value-box", "DOUBLE")
        window.find("#uc-filter-value").send_keys("12", Keys.ENTER)
        window.until("document.getElementById('uc-starting').textContent.includes('The warehouse is starting')")
        assert "for " in window.find("#uc-running").text
        assert "Warehouse starting" in window.find("#uc-count-text").text
        window.click("#uc-rows-cancel")
        window.until("!document.querySelector('.lf-chip')")
        window.until("document.getElementById('uc-count-text').textContent === '21,932 rows'", 20)
        window.until("!document.getElementById('uc-running').classList.contains('on')")
    finally:
        live.clear_faults()


def test_a_warehouse_that_fails_says_so_and_reads_again(window: Window, live: LiveApp) -> None:
    live.faults({"faults": [{"service": "sql_warehouse", "match": "ExecuteStatement", "status": 403, "times": 1}]})
    try:
        visit(window, sort=[{"column": "trip_distance", "direction": "desc"}])
        window.wait_text("#uc-grid-state", "request ")
        assert "nothing was read" in window.find("#uc-strip").text
    finally:
        live.clear_faults()
    window.click("#uc-rows-retry")
    rows_are_there(window)
    problems = window.problems()  # the browser itself notes the refusal
    assert all("/query?" in one and "403" in one for one in problems), problems


@pytest.fixture(scope="module")
def endless(live: LiveApp) -> str:
    """A view of nine million million rows: whatever is read of it without a filter never ends by itself."""
    environment = live.environment
    deployer = WorkspaceClient(
        host=environment["DATABRICKS_HOST"],
        client_id=environment["DATABRICKS_CLIENT_ID"],
        client_secret=environment["DATABRICKS_CLIENT_SECRET"],
    )
    name = "lakefront.sales.endless"
    rows_of = "SELECT a.id AS x, b.id AS y FROM range(3000000) a CROSS JOIN range(3000000) b"
    for statement in (
        f"CREATE OR REPLACE VIEW {name} AS {rows_of}",
        f"GRANT SELECT ON TABLE {name} TO `analysts`",
    ):
        done = deployer.statement_execution.execute_statement(statement, environment["DATABRICKS_WAREHOUSE_ID"])
        assert str(done.status and done.status.state).endswith("SUCCEEDED"), done
    return name


def answers(live: LiveApp, path: str) -> list[int]:
    """The statuses that the app's log has of requests to a path."""
    lines = (json.loads(line) for line in live.log.splitlines() if path in line and '"request"' in line)
    return [line["status"] for line in lines if line["path"].endswith(path)]


def test_a_new_filter_stops_the_old_statement_on_the_warehouse(window: Window, live: LiveApp, endless: str) -> None:
    few = [{"column": name, "operator": "le", "value": 9} for name in ("x", "y")]
    rows_of = "/tables/lakefront/sales/endless/query"
    visit(window, endless, filter=few)
    try:
        window.until("document.querySelector('#uc-grid .ag-row[row-index=\"99\"], #uc-grid .ag-row:not(.lf-waiting)')")
        window.wait_text("#uc-strip", "Show SQL")
        old = column(window, "y")
        assert answers(live, rows_of) == [200]
        window.click("#uc-filter-clear")
        window.until("getComputedStyle(document.querySelector('#uc-grid .ag-center-cols-container')).opacity === '0.6'")
        assert column(window, "y") == old, "the old rows stay, dimmed, while the new filter runs"
        window.until("getComputedStyle(document.getElementById('uc-running')).visibility === 'visible'")
        seconds = window.find(".lf-running-words").text
        assert re.fullmatch(r"running for \d+\.\d s", seconds), seconds
        window.until(f"document.querySelector('.lf-running-words').textContent > '{seconds}'")
        window.click("#uc-filter-add")
        select(window, "uc-filter-column", "x")
        window.wait_text("#uc-filter-value-box", "BIGINT")
        select(window, "uc-filter-operator", "eq")
        window.until("document.querySelector('[data-drawn=\"x eq\"]')")
        window.find("#uc-filter-value").send_keys("7", Keys.ENTER)
        window.until("document.querySelector('#uc-grid .ag-row [col-id=x]')?.textContent === '7'")
        window.until("!document.getElementById('uc-running').classList.contains('on')")
        deadline = time.monotonic() + 15
        while 499 not in answers(live, rows_of):
            assert time.monotonic() < deadline, "the endless statement was never cancelled"
            time.sleep(0.1)
        assert set(column(window, "x")) == {"7"}, "the answer of the old filter is never shown"
        assert answers(live, rows_of) == [200, 200, 499] or answers(live, rows_of) == [200, 499, 200]
    finally:
        key = window.driver.execute_script("return window.lakefrontExplorer.state.key")
        live.client().delete(f"/api/v1/unity-catalog/statements/{key}")


def test_what_nobody_waits_for_is_stopped(window: Window, live: LiveApp, endless: str) -> None:
    rows_of = "/tables/lakefront/sales/endless/query"

    def stopped(times: int) -> None:
        deadline = time.monotonic() + 15
        while answers(live, rows_of).count(499) < before + times:
            assert time.monotonic() < deadline, "the statement was never cancelled"
            time.sleep(0.1)

    before = answers(live, rows_of).count(499)
    visit(window, endless)
    running = "document.getElementById('uc-running').classList.contains('on')"
    window.until(running)
    window.click("#uc-grid .ag-header-cell[col-id=y] .ag-header-cell-label")
    stopped(1)  # the old order
    window.until("getComputedStyle(document.getElementById('uc-running')).visibility === 'visible'")
    window.click("#uc-rows-cancel")
    stopped(2)
    window.wait_text("#uc-grid-state", "Cancelled")
    window.click("#uc-rows-retry")
    window.until(running)
    window.click("nav a[href='/status']")
    stopped(3)  # the page was left


def test_paging_forward_reads_one_block_ahead(window: Window) -> None:
    offsets = "window.__calls.filter((one) => one.startsWith('rows ')).map((one) => Number(one.slice(5))).join()"
    script = window.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": CALLS})
    try:
        visit(window)
        rows_are_there(window)
        window.until(f"{offsets} === '0'")
        window.click("#uc-pager-next")
        window.until(f"{offsets} === '0,100,200'")
        window.until("dash_ag_grid.getApi('uc-grid').getDisplayedRowAtIndex(200)?.data")
        window.click("#uc-pager-next")
        window.until("document.querySelector('#uc-grid .ag-row[row-index=\"200\"]:not(.lf-waiting)')")
        window.until(f"{offsets} === '0,100,200,300'")
        page = window.find("#uc-pager-page")
        page.send_keys(Keys.CONTROL, "a")
        page.send_keys("100", Keys.ENTER)
        window.wait_text("#uc-pager-place", "9,901–10,000")
        window.until("document.querySelector('#uc-grid .ag-row[row-index=\"9900\"]:not(.lf-waiting)')")
        window.wait_text("#uc-strip", "count took")
        assert window.driver.execute_script(f"return {offsets}") == "0,100,200,300,9900"
    finally:
        window.driver.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", script)


def test_a_nested_value_is_shown_whole(window: Window) -> None:
    visit(window, CUSTOMERS, hidden=["region", "country", "city", "email"])
    rows_are_there(window)
    window.click("#uc-grid .ag-row[row-index='0'] [col-id=interests]")
    press(window, Keys.ENTER)
    window.wait_text("dialog.lf-value", "interests")
    assert window.find("dialog.lf-value pre").text.startswith("[")
    press(window, Keys.ESCAPE)
    window.until("!document.querySelector('dialog.lf-value')")
    window.until("document.activeElement.getAttribute('col-id') === 'interests'")


@pytest.mark.parametrize("view", ["rows", "chart", "profile", "details"])
def test_no_violation_in_either_theme(window: Window, axe: Axe, view: str) -> None:
    visit(window, view=view, filter=[{"column": "fare_amount", "operator": "ge", "value": 25}])
    if view != "details":
        window.until("/rows?$/.test(document.getElementById('uc-count-text').textContent)")
    window.until("document.querySelectorAll('#uc-panel .lf-skel').length === 0 || !document.querySelector('.lf-rows')")
    window.until("document.querySelector('#uc-tree [role=treeitem]')")
    for size in (WIDE, NARROW):
        window.size(size)
        window.theme("light")
        assert axe(window) == [], (view, size)
        window.theme("dark")
        assert axe(window, rules=COLOURS) == [], (view, size)
    window.size((320, 700))
    assert window.driver.execute_script("return document.documentElement.scrollWidth") == 320
    assert (
        window.driver.execute_script("const m = document.getElementById('main'); return m.scrollWidth - m.clientWidth")
        == 0
    )


def test_forms_menus_and_dialogs_have_no_violation(window: Window, axe: Axe) -> None:
    visit(window)
    rows_are_there(window)
    for opener, opened in (
        ("#uc-filter-add", ".lf-filter-form"),
        ("[data-pop=uc-export-menu]", "#uc-export-menu"),
        (".lf-bar [data-pop=uc-columns-menu]", "#uc-columns-menu"),
        ("[data-pop=uc-jump]", "#uc-jump"),
        ("#uc-save-view", ".lf-save-form"),
    ):
        window.click(opener)
        window.until(f"document.querySelector('{opened}')?.checkVisibility()")
        assert axe(window, opened) == [], opener
        press(window, Keys.ESCAPE)


def test_a_phone_has_the_tree_and_the_profile_in_dialogs(window: Window, axe: Axe) -> None:
    window.size(NARROW)
    visit(window)
    rows_are_there(window)
    window.until("document.querySelector('.ag-pinned-left-cols-container [col-id=tpep_pickup_datetime]')")
    assert not window.all("#uc-grid .ag-header-cell[col-id=__row]")
    window.click("#uc-tree-open")
    window.until("document.getElementById('uc-tree-box').classList.contains('open')")
    assert axe(window) == []
    press(window, Keys.ESCAPE)
    window.until("!document.getElementById('uc-tree-box').classList.contains('open')")
    assert window.focused() == "uc-tree-open"
    window.click("[data-pop=uc-more-menu]")
    window.click("#uc-inspect-more")
    window.wait_text("#uc-inspect-box", "Nulls")
    assert axe(window) == []
    window.click("#uc-inspect-close")
    window.click("#uc-tree-open")
    window.until("document.querySelector('#uc-tree [aria-level=\"1\"]')")
    next(one for one in window.all("#uc-tree [aria-level='1'] > .r") if one.text == "lakefront").click()
    window.until("[...document.querySelectorAll('#uc-tree .r')].some((one) => one.textContent === 'sales')")
    next(one for one in window.all("#uc-tree .r") if one.text == "sales").click()
    window.until("[...document.querySelectorAll('#uc-tree .r')].some((one) => one.textContent.startsWith('customers'))")
    next(one for one in window.all("#uc-tree .r") if one.text.startswith("customers")).click()
    window.wait_text("#table-name", "customers")
    assert not window.find("#uc-tree-box").is_displayed()
