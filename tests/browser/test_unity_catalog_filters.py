"""The filter form in the browser: one flow for each widget, by keys, and what it does when it is left or fails."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys

from tests.browser.conftest import NARROW, WIDE, Window
from tests.browser.test_unity_catalog import (
    CALLS,
    CUSTOMERS,
    TRIPS,
    address,
    chips,
    column,
    press,
    rows_are_there,
    sample_data,
    select,
    visit,
)
from tests.support.live import LiveApp

pytestmark = pytest.mark.browser
__all__ = ["sample_data"]  # the fixture that waits for the tables, for this module too
BOXES = "[...document.querySelectorAll('.lf-set-list .form-check:not([hidden])')]"

THEMES = {WIDE: ("light",), NARROW: ("light", "dark")}
FITS = (
    "(({left, right, top, bottom}) => left >= 0 && right <= innerWidth && bottom <= innerHeight"
    " && top >= document.getElementById('main').getBoundingClientRect().top)"
    "(document.querySelector('.lf-filter-form').getBoundingClientRect())"
)
REACHED = (
    "(({left, width, top, height}) => Boolean(document.elementFromPoint(left + width / 2, top + height / 2)"
    "?.closest('#uc-filter-apply')))(document.getElementById('uc-filter-apply').getBoundingClientRect())"
)


@pytest.fixture(autouse=True)
def quiet(window: Window) -> Iterator[None]:
    """No test may leave an error on the browser's console."""
    yield
    assert window.problems() == []


def begin(window: Window, name: str, operator: str) -> None:
    """Open the form for a new condition by keys and choose its column and operator."""
    window.until("document.getElementById('uc-inspector').textContent.includes('Whole table')")
    window.driver.execute_script("document.getElementById('uc-filter-add').focus()")
    press(window, Keys.ENTER)
    window.until("document.activeElement.id === 'uc-filter-column'")
    if window.find("#uc-filter-column").get_attribute("value") != name:
        select(window, "uc-filter-column", name)
        window.until(f"document.querySelector('[data-drawn^=\"{name} \"]')")
    turn(window, name, operator)


def turn(window: Window, name: str, operator: str) -> None:
    """Choose the operator and wait until the fields are those that it takes."""
    if window.find("#uc-filter-operator").get_attribute("value") != operator:
        select(window, "uc-filter-operator", operator)
    window.until(f"document.querySelector('[data-drawn=\"{name} {operator}\"]')")


def edit(window: Window) -> None:
    """Open the first chip's form by keys."""
    window.until("document.querySelector('.lf-chip')")
    window.driver.execute_script("document.querySelector('.lf-chip button').focus()")
    press(window, Keys.ENTER)
    window.until("document.querySelector('.lf-filter-form')")


def applied(window: Window) -> Any:
    """Wait until the form is gone and the rows are there; gives the filter of the address."""
    window.until("!document.querySelector('.lf-filter-form')")
    window.until("new URLSearchParams(location.search).has('filter')")
    rows_are_there(window)
    return json.loads(address(window)["filter"])


def boxes(window: Window) -> list[str]:
    """The values beside the boxes that are shown, once they are there."""
    window.until("document.querySelector('.lf-set-list')?.checkVisibility()")
    found: list[str] = window.driver.execute_script(f"return {BOXES}.map((one) => one.querySelector('.v').textContent)")
    return found


def checked(window: Window) -> list[str]:
    """The values of the checked boxes."""
    found: list[str] = window.driver.execute_script(
        f"return {BOXES}.filter((one) => one.querySelector(':checked'))"
        ".map((one) => one.querySelector('.v').textContent)"
    )
    return found


def test_a_range_has_two_fields_and_says_at_the_field_what_is_wrong(window: Window) -> None:
    visit(window)
    rows_are_there(window)
    begin(window, "fare_amount", "between")
    window.find("#uc-filter-value").send_keys("30", Keys.TAB, "x", Keys.ENTER)
    window.wait_text("#uc-filter-to-note", "A number expected, not 'x'.")
    window.until("document.activeElement.id === 'uc-filter-to'")
    assert window.find("#uc-filter-to").get_attribute("aria-describedby") == "uc-filter-to-error"
    assert window.find("#uc-filter-to").get_attribute("inputmode") == "decimal"
    press(window, Keys.BACKSPACE, "20.5", Keys.ENTER)
    window.wait_text("#uc-filter-value-note", "From is above To.")
    window.until("document.activeElement.id === 'uc-filter-value'")
    assert "Both ends are included." in window.find("#uc-filter-to-note").text
    assert not chips(window)
    window.find("#uc-filter-value").send_keys(Keys.CONTROL, "a")
    press(window, "20", Keys.ENTER)
    assert applied(window) == [{"column": "fare_amount", "operator": "between", "value": [20, 20.5]}]
    assert chips(window) == ["fare_amount is between 20 and 20.5"]
    assert {float(value) for value in column(window, "fare_amount")} <= {20.0, 20.5}
    edit(window)
    window.until("document.activeElement.id === 'uc-filter-value'")
    assert window.find("#uc-filter-to").get_attribute("value") == "20.5"
    turn(window, "fare_amount", "gt")
    assert window.find("#uc-filter-value").get_attribute("value") == "20"
    turn(window, "fare_amount", "between")
    assert window.find("#uc-filter-to").get_attribute("value") == "20.5"
    press(window, Keys.ESCAPE)
    window.until("!document.querySelector('.lf-filter-form')")
    window.until("document.activeElement.matches('.lf-chip button')")


def test_values_are_chosen_with_the_keys_alone(window: Window) -> None:
    visit(window)
    rows_are_there(window)
    begin(window, "pickup_zip", "in")
    found = boxes(window)
    assert len(found) > 8
    window.driver.execute_script("document.getElementById('uc-filter-operator').focus()")
    press(window, Keys.TAB)
    assert window.focused() == "uc-filter-find"
    press(window, "1001")
    window.until(f"{BOXES}.every((one) => one.textContent.includes('1001'))")
    press(window, "zzz")
    window.until("document.querySelector('.lf-set-none').checkVisibility()")
    press(window, *[Keys.BACKSPACE] * 7)
    window.until(f"{BOXES}.length === {len(found)}")
    press(window, Keys.TAB, Keys.SPACE, Keys.ARROW_DOWN, Keys.ARROW_DOWN, Keys.SPACE)
    window.until(f"{BOXES}.filter((one) => one.querySelector(':checked')).length === 2")
    assert checked(window) == [found[0], found[2]]
    press(window, Keys.TAB)
    assert window.driver.execute_script("return !document.activeElement.closest('.lf-set-list')")
    ActionChains(window.driver).key_down(Keys.SHIFT).send_keys(Keys.TAB).key_up(Keys.SHIFT).perform()
    press(window, Keys.ENTER)
    values = [int(found[0]), int(found[2])]
    assert applied(window) == [{"column": "pickup_zip", "operator": "in", "value": values}]
    assert {int(value) for value in column(window, "pickup_zip")} <= set(values)
    edit(window)
    assert checked(window) == boxes(window)[:2] == [found[0], found[2]]
    window.until("document.activeElement.id === 'uc-filter-find'")
    press(window, Keys.ESCAPE)
    window.until("!document.querySelector('.lf-filter-form')")


def test_a_checked_value_that_is_not_frequent_stays_and_others_are_typed(window: Window) -> None:
    visit(window, filter=[{"column": "fare_amount", "operator": "in", "value": [12345.5, 52]}])
    edit(window)
    assert boxes(window)[:2] == ["12345.50", "52.00"] == checked(window)
    facts = window.find(".lf-set-facts").text
    assert "most frequent of" in facts
    assert "whole table" in facts
    window.find("#uc-filter-list").send_keys("7, x", Keys.ENTER)
    window.wait_text("#uc-filter-list-note", "A number expected, not 'x'.")
    window.until("document.activeElement.id === 'uc-filter-list'")
    press(window, Keys.BACKSPACE, Keys.BACKSPACE, Keys.BACKSPACE, Keys.ENTER)
    window.until("!document.querySelector('.lf-filter-form')")
    window.until("JSON.parse(new URLSearchParams(location.search).get('filter'))[0].value.length === 3")
    assert json.loads(address(window)["filter"])[0]["value"] == [12345.5, 52, 7]


def test_null_is_an_operator_and_nothing_chosen_is_said(window: Window) -> None:
    visit(window)
    rows_are_there(window)
    begin(window, "pickup_zip", "in")
    boxes(window)
    window.click("#uc-filter-apply")
    window.wait_text("#uc-filter-chosen-note", "Choose at least one value.")
    window.until("document.activeElement.id === 'uc-filter-find'")
    window.click(".lf-filter-form [data-operator=is_null]")
    window.until("document.getElementById('uc-filter-operator').value === 'is_null'")
    window.until("!document.getElementById('uc-filter-many').checkVisibility()")
    assert window.focused() == "uc-filter-operator"
    window.click("#uc-filter-apply")
    window.until("!document.querySelector('.lf-filter-form')")
    window.until("location.search.includes('is_null')")
    assert json.loads(address(window)["filter"])[0] == {"column": "pickup_zip", "operator": "is_null", "value": None}


def test_masked_values_look_masked_and_texts_are_suggested(window: Window) -> None:
    visit(window, CUSTOMERS)
    rows_are_there(window)
    begin(window, "email", "in")
    assert boxes(window) == [" ***@example.com"]
    assert window.find(".lf-set-list .bi-eye-slash").is_displayed()
    assert "Masked: these are the values as you see them." in window.find(".lf-set-facts").text
    select(window, "uc-filter-column", "country")
    window.until("document.querySelector('.lf-set-list')?.textContent.includes('Germany')")
    turn(window, "country", "eq")
    window.until("document.querySelectorAll('#uc-filter-known option').length > 3")
    assert window.find("#uc-filter-value").get_attribute("list") == "uc-filter-known"
    window.find("#uc-filter-value").send_keys("Germany", Keys.ENTER)
    assert applied(window)[0]["value"] == "Germany"


def test_many_different_values_are_typed(window: Window) -> None:
    visit(window)
    rows_are_there(window)
    begin(window, "tpep_pickup_datetime", "in")
    window.wait_text("#uc-filter-many", "different values are too many to choose from")
    first, second = column(window, "tpep_pickup_datetime")[:2]
    window.find("#uc-filter-list").send_keys(f"{first}, {second}", Keys.ENTER)
    assert applied(window)[0]["value"] == [first, second]
    assert set(column(window, "tpep_pickup_datetime")) == {first, second}
    edit(window)
    window.wait_text("#uc-filter-many", "different values")
    window.until("document.activeElement.id === 'uc-filter-list'")
    assert window.find("#uc-filter-list").get_attribute("value") == ", ".join(
        text.replace(" ", "T") for text in (first, second)
    )


def test_times_have_a_calendar_with_seconds(window: Window) -> None:
    visit(window, filter=[{"column": "tpep_pickup_datetime", "operator": "ge", "value": "2016-02-14T16:52:13Z"}])
    edit(window)
    window.until("document.activeElement.id === 'uc-filter-value'")
    field = window.find("#uc-filter-value")
    assert (field.get_attribute("type"), field.get_attribute("value")) == ("datetime-local", "2016-02-14T16:52:13")
    assert "In UTC." in window.find("#uc-filter-value-note").text
    press(window, Keys.BACKSPACE, Keys.ENTER)
    window.wait_text("#uc-filter-value-note", "A whole time is needed")
    press(window, "02152016", Keys.TAB, "010203AM", Keys.ENTER)
    assert applied(window)[0]["value"] == "2016-02-15 01:02:03"
    assert min(column(window, "tpep_pickup_datetime")) >= "2016-02-15 01:02:03"


def test_values_that_cannot_be_read_are_typed_and_the_reason_is_said(window: Window, live: LiveApp) -> None:
    visit(window, CUSTOMERS)
    rows_are_there(window)
    window.until("document.getElementById('uc-inspector').textContent.includes('Whole table')")
    live.faults({"faults": [{"service": "sql_warehouse", "match": "ExecuteStatement", "status": 403, "times": 1}]})
    try:
        begin(window, "city", "in")
        window.wait_text("#uc-filter-many", "The frequent values were not read")
    finally:
        live.clear_faults()
    window.find("#uc-filter-list").send_keys('Berlin, "a, b"', Keys.ENTER)
    window.until("!document.querySelector('.lf-filter-form')")
    window.until("location.search.includes('Berlin')")
    assert json.loads(address(window)["filter"])[0]["value"] == ["Berlin", "a, b"]


@pytest.mark.parametrize(("leave", "name"), [("close", "full_name"), ("other column", "signup_date")])
def test_a_form_that_is_left_cancels_its_statement_and_nothing_jumps(
    window: Window, live: LiveApp, leave: str, name: str
) -> None:
    script = window.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": CALLS})
    try:
        visit(window, CUSTOMERS)
        rows_are_there(window)
        window.until("document.getElementById('uc-inspector').textContent.includes('Whole table')")
        live.faults(
            {"faults": [{"service": "sql_warehouse", "match": "ExecuteStatement", "delay_seconds": 3, "times": 1}]}
        )
        begin(window, name, "in")
        height = window.find(".lf-filter-form").size["height"]
        assert window.find(".lf-set-waiting .lf-skel").is_displayed()
        if leave == "close":
            press(window, Keys.ESCAPE)
            window.until("!document.querySelector('.lf-filter-form')")
        else:
            select(window, "uc-filter-column", "country")
            assert "Germany" in boxes(window)
            assert window.find(".lf-filter-form").size["height"] == height
        window.until("window.__calls.includes('uc-cancelled.data')")
        assert window.driver.execute_script("return window.__calls").count("uc-cancelled.data") == 1
        if leave == "close":
            begin(window, "country", "in")
        assert "Germany" in boxes(window)
        window.click("#uc-filter-cancel")
        window.until("!document.querySelector('.lf-filter-form')")
        assert window.driver.execute_script("return window.__calls").count("uc-cancelled.data") == 1
    finally:
        live.clear_faults()
        window.driver.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", script)


@pytest.mark.parametrize(
    ("table", "widgets"),
    [
        (
            TRIPS,
            [
                ("pickup_zip", "in", ".lf-set-list"),
                ("fare_amount", "in", "#uc-filter-list"),
                ("tpep_pickup_datetime", "in", ".lf-set-why"),
                ("tpep_pickup_datetime", "between", "#uc-filter-to"),
            ],
        ),
        (CUSTOMERS, [("email", "in", ".lf-set-list"), ("newsletter", "eq", "#uc-filter-value")]),
    ],
)
def test_each_widget_fits_and_has_no_violation(
    window: Window, axe: Callable[[Window], list[str]], table: str, widgets: list[tuple[str, str, str]]
) -> None:
    visit(window, table)
    rows_are_there(window)
    for name, operator, ready in widgets:
        window.size(WIDE)
        begin(window, name, operator)
        window.until(f"document.querySelector('{ready}')?.checkVisibility()")
        for size in (WIDE, NARROW, (844, 390)):
            window.size(size)
            window.until(FITS)
            window.driver.execute_script(
                "document.getElementById('uc-filter-apply').scrollIntoView({block: 'nearest'})"
            )
            assert window.driver.execute_script(f"return {REACHED}"), (name, size)
            for theme in THEMES.get(size, ()):
                window.theme(theme)
                assert axe(window) == [], (name, size, theme)
        window.click("#uc-filter-cancel")
        window.until("!document.querySelector('.lf-filter-form')")


def test_the_form_that_saves_a_view_keeps_its_place(window: Window) -> None:
    visit(window)
    rows_are_there(window)
    window.click("#uc-save-view")
    window.until("document.activeElement.id === 'uc-save-name'")
    window.until(FITS)
    assert window.driver.execute_script(
        "return document.querySelector('.lf-save-form').getBoundingClientRect().top"
        " >= document.getElementById('uc-save-view').getBoundingClientRect().bottom"
    )
