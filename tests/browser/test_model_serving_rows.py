"""Many rows through the page: grid, clipboard, file, rows of a table; waking up, calls run again; themes, phone."""

from __future__ import annotations

import csv
import json
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pytest
from selenium.webdriver.common.keys import Keys

from dashboard.components.fields import read_field, spec_of
from services.model_serving import SchemaField
from tests.browser.conftest import NARROW, WIDE, Window
from tests.browser.test_model_serving_page import choose, fill, view
from tests.support.live import LiveApp

pytestmark = pytest.mark.browser
STATUS = "#serving-many-status"
_PASTE = """
const data = new DataTransfer(); data.setData('text/plain', arguments[0]);
document.querySelector('#serving-many-region .ag-cell').dispatchEvent(
  new ClipboardEvent('paste', {clipboardData: data, bubbles: true, cancelable: true}));
"""


def open_many(window: Window) -> None:
    """The grid of the fare model."""
    window.open("/model-serving")
    choose(window, "trip-fare")
    view(window, "Many rows")
    window.find("#serving-many-region .ag-row")


def paste(window: Window, text: str) -> None:
    """Paste text into the first cell of the grid."""
    window.driver.execute_script("dash_ag_grid.getApi('serving-many-grid').setFocusedCell(0, 'trip_distance')")
    window.driver.execute_script(_PASTE, text)


def cell(window: Window, row: int, name: str) -> object:
    """What the grid holds in a cell."""
    return window.driver.execute_script(
        "return dash_ag_grid.getApi('serving-many-grid').getDisplayedRowAtIndex(arguments[0]).data[arguments[1]]",
        row,
        name,
    )


def test_pasted_rows_are_checked_mended_predicted_and_saved(window: Window, axe: Callable[[Window], list[str]]) -> None:
    open_many(window)
    paste(window, "2.5\t10001\t10019\t7\tfriday\n12\t10001\t1137l\t17\tmonday\n")
    window.wait_text(STATUS, "1 value to mend")
    window.click("#serving-score")
    window.wait_text(STATUS, "Row 2, dropoff_zip: Whole number expected: the last sign is a letter.")
    assert window.all("#serving-many-region .lf-wrong")
    assert axe(window) == []
    window.driver.execute_script(
        "dash_ag_grid.getApi('serving-many-grid').getDisplayedRowAtIndex(1).setDataValue('dropoff_zip', '11371')"
    )
    window.click("#serving-score")
    window.wait_text("#serving-result", "2 rows predicted")
    near, far = (cell(window, row, "__prediction") for row in (0, 1))
    assert isinstance(near, float)
    assert isinstance(far, float)
    assert near < far
    window.wait_text("#serving-strip", "trip_fare version 1")
    window.wait_text("#serving-history", "2 rows")
    assert axe(window) == []
    window.driver.execute_script(
        "dash_ag_grid.getApi('serving-many-grid').getDisplayedRowAtIndex(0).setDataValue('trip_distance', '3')"
    )
    window.until("dash_ag_grid.getApi('serving-many-grid').getDisplayedRowAtIndex(0).data.__prediction === undefined")
    window.click("#serving-job-download")
    folder = Path(window.browser.download_path)
    end = time.monotonic() + 5
    while not any(one.stat().st_size for one in folder.glob("trip-fare-predictions*.csv")) and time.monotonic() < end:
        time.sleep(0.05)
    lines = list(csv.DictReader(max(folder.glob("trip-fare-predictions*.csv")).open(newline="")))
    assert [float(one["prediction"]) for one in lines] == [near, far]
    assert window.problems() == []


def test_a_csv_file_is_read_in_the_browser_and_cut_at_the_cap(window: Window, tmp_path: Path) -> None:
    open_many(window)
    good = tmp_path / "rows.csv"
    good.write_text(
        '\ufeffweekday;trip_distance;Pickup_Zip;dropoff_zip;pickup_hour;note\r\n"friday";1.5;10001;10019;7;"a;""b"""\r\n\r\n',
        encoding="utf-8",
    )
    window.driver.find_element("id", "serving-many-file").send_keys(str(good))
    window.wait_text(STATUS, "1 row read from rows.csv · not used: note")
    assert [cell(window, 0, name) for name in ("weekday", "trip_distance", "pickup_zip")] == ["friday", "1.5", "10001"]
    long = tmp_path / "long.csv"
    long.write_text("trip_distance,pickup_zip,dropoff_zip,pickup_hour\n" + "1,2,3,4\n" * 10_005)
    window.driver.find_element("id", "serving-many-file").send_keys(str(long))
    window.wait_text(STATUS, "cut at 10,000 of 10,005 rows")
    for name, content, said in (
        ("latin.csv", "stra\u00dfe;1".encode("latin-1"), "is not UTF-8 text"),
        ("other.csv", b"a,b\n1,2\n", "names none of trip_distance"),
        ("big.csv", b"x" * 5_000_001, "at most 5 MB are read"),
    ):
        (tmp_path / name).write_bytes(content)
        window.driver.find_element("id", "serving-many-file").send_keys(str(tmp_path / name))
        window.wait_text(STATUS, said)
    assert cell(window, 9_999, "pickup_hour") == "4", "a file that cannot be used changes nothing"


def test_rows_are_added_and_removed(window: Window) -> None:
    open_many(window)
    window.click("#serving-many-add")
    count = "(() => { let n = 0; dash_ag_grid.getApi('serving-many-grid').forEachNode(() => n++); return n; })()"
    window.until(f"{count} === 9")
    window.driver.execute_script("dash_ag_grid.getApi('serving-many-grid').getDisplayedRowAtIndex(0).setSelected(true)")
    window.click("#serving-many-remove")
    window.until(f"{count} === 8")
    window.wait_text(STATUS, "1 row removed.")
    window.click("#serving-score")
    window.wait_text(STATUS, "Nothing to predict")


def test_browser_and_server_say_the_same_of_a_cell(window: Window) -> None:
    open_many(window)
    fields = [
        SchemaField(name="i", type="integer", required=True, minimum=0, maximum=23),
        SchemaField(name="n", type="number", maximum=2000),
        SchemaField(name="c", type="string", choices=["a", "b"], required=True),
        SchemaField(name="b", type="boolean"),
        SchemaField(name="o", type="object"),
        SchemaField(name="s", type="string", required=True, nullable=True),
    ]
    words = [
        "",
        " ",
        "1",
        " 7 ",
        "-1",
        "24",
        "1.5",
        "1137l",
        "abc",
        "1e3",
        "1e999",
        "nan",
        "inf",
        ".5",
        "5.",
        "\u22121",
        "+3",
    ]
    words += ["1_000", "1__0", "a", "c", "true", "TRUE", "yes", '{"a": 1}', "{", "[1]", "2001", "1e", "0x10", "1,5"]
    cases = [(field, text) for field in fields for text in words]
    found = window.driver.execute_script(
        "return arguments[0].map(([field, text]) => window.lakefrontField.problem(field, text))",
        [[spec_of(field), text] for field, text in cases],
    )
    expected = [read_field(field, text)[1] for field, text in cases]
    differ = [(f.name, t, e, g) for (f, t), e, g in zip(cases, expected, found, strict=True) if e != g]
    assert differ == []


def test_rows_in_view_are_scored_from_the_explorer(window: Window, axe: Callable[[Window], list[str]]) -> None:
    wanted = json.dumps([{"column": "fare_amount", "operator": "ge", "value": 45}])
    window.open(f"/unity-catalog?table=samples.nyctaxi.trips&filter={quote(wanted)}", "a[data-scores]")
    window.until("location.search.includes('filter')")
    window.click("a[data-scores]")
    window.wait_text("#serving-table-count", "all of them are predicted")
    total = window.find("#serving-table-count").text.split()[0]
    assert "fare_amount at least 45" in window.find("#serving-table-view").text
    chosen = [one.get_attribute("value") for one in window.all(".lf-map-row > select")]
    assert chosen == ["trip_distance", "pickup_zip", "dropoff_zip", "__fixed", "__fixed"]
    assert axe(window) == []
    window.click("#serving-table-score")
    window.wait_text("#serving-result", "predicted")
    window.find(".lf-scored-region .ag-row")
    assert f"{total} rows" in window.find("#serving-strip").text
    shown = window.driver.execute_script(
        "return dash_ag_grid.getApi('serving-table-grid').getDisplayedRowAtIndex(0).data"
    )
    assert shown["fare_amount"] >= 45
    assert isinstance(shown["__prediction"], float)
    assert axe(window) == []
    window.size(NARROW)
    window.theme("dark")
    try:
        assert axe(window) == []
        assert window.driver.execute_script("return document.documentElement.scrollWidth") <= NARROW[0]
    finally:
        window.theme("light")
        window.size(WIDE)
    assert window.problems() == []


def test_a_job_shows_progress_and_is_cancelled(
    window: Window, live: LiveApp, axe: Callable[[Window], list[str]]
) -> None:
    open_many(window)
    paste(window, "2.5\t10001\t10019\t7\tfriday\n" * 10_000)
    window.wait_text(STATUS, "10,000 rows to predict")
    live.faults({"faults": [{"service": "model_serving", "match": "/invocations", "delay_seconds": 2.5, "times": 40}]})
    try:
        window.click("#serving-score")
        window.until("/[1-9],000 of 10,000 rows/.test(document.getElementById('serving-result').textContent)")
        assert axe(window) == []
        window.click("#serving-job-cancel")
        window.wait_text("#serving-result", "What was predicted is kept.")
    finally:
        live.clear_faults()
    window.wait_text("#serving-result", "Cancelled after")
    assert isinstance(cell(window, 0, "__prediction"), float)
    assert cell(window, 9_999, "__prediction") is None
    window.wait_text("#serving-history", "Refused or failed")


def test_an_endpoint_that_slept_wakes_up_in_steps(
    window: Window, live: LiveApp, axe: Callable[[Window], list[str]]
) -> None:
    window.open("/model-serving")
    choose(window, "trip-fare")
    live.faults({"actions": ["model_serving.scale_to_zero"]})
    window.click("#serving-predict")
    window.wait_text("#serving-waking", "The endpoint is waking up")
    window.wait_text("#serving-waking", "so far")
    assert axe(window) == []
    window.wait_text("#serving-strip", "written to your history")
    assert window.find(".lf-answer").is_displayed()
    window.wait_text("#serving-state-now", "Ready")
    assert not window.driver.find_element("id", "serving-waking").is_displayed()


def test_a_call_is_run_again_after_a_look_at_its_input(window: Window, axe: Callable[[Window], list[str]]) -> None:
    window.open("/model-serving")
    choose(window, "trip-fare")
    fill(window, "trip_distance", "9.75")
    window.until("document.getElementById('serving-json-text').value.includes('9.75')")
    window.click("#serving-predict")
    window.wait_text("#serving-history", "9.75, 10001")
    value = window.find(".lf-answer").text
    next(one for one in window.all("#serving-history button") if one.text.startswith("Run again")).click()
    window.wait_text("#serving-again-dialog", "9.75")
    assert axe(window) == []
    window.click("#serving-again-do")
    window.wait_text("#serving-again-dialog", "The new answer")
    assert value in window.find("#serving-again-dialog").text
    window.click("#serving-again-keep")
    window.until("!document.getElementById('serving-again-dialog')")
    rows = "[...document.querySelectorAll('#serving-history tbody tr')]"
    window.until(f"{rows}.filter((row) => row.textContent.includes('9.75')).length >= 2")


def test_details_prompt_and_vectors(window: Window, axe: Callable[[Window], list[str]]) -> None:
    window.open("/model-serving")
    choose(window, "echo-completion")
    window.click("#serving-details-button")
    window.wait_text("#serving-details", "may query")
    assert axe(window) == []
    window.click("#serving-predict")
    window.wait_text(".lf-completion", "Once upon a time")
    choose(window, "word-embedding")
    window.click("#serving-predict")
    window.wait_text("#serving-result", "3 vectors of 64 numbers")
    assert axe(window) == []
    view(window, "JSON")
    box = window.find("#serving-json-text")
    box.send_keys(Keys.CONTROL, "a")
    box.send_keys('{"input": ["one text"]}')
    view(window, "Form")
    window.until("document.querySelector('.lf-form-fields textarea').value === 'one text'")
