"""The most frequent values of a column: what a person may choose from, and how many others there are.

One GROUP BY over the column, cut at ``MOST`` groups; a second statement counts the groups only when there are more.
Over ten million rows that costs a quarter to a half of the column's profile, which reads figures that nobody asked for.
"""

from __future__ import annotations

from services.identity import User
from services.unity_catalog.aggregate import aggregate
from services.unity_catalog.filter_tree import Condition
from services.unity_catalog.models import (
    AggregateRequest,
    FrequentValues,
    GroupBy,
    Measure,
    TableDetails,
    TableRef,
    TopValue,
)
from services.unity_catalog.running import Runner

MOST = 50


def frequent(
    runner: Runner, user: User, ref: TableRef, details: TableDetails, column: str, key: str | None
) -> FrequentValues:
    """The ``MOST`` most frequent values of the whole table, nulls apart, ties in the order of values. Runs as the user.

    Raises:
        InvalidRequest: no such column, or one that cannot be grouped by (binary, nested).
        LakefrontError: see ``Runner.run``.
    """
    request = AggregateRequest(
        group_by=[GroupBy(column=column)],
        measures=[Measure(function="count")],
        filter=Condition(column=column, operator="is_not_null"),
        limit=MOST,
    )
    found = aggregate(runner, user, ref, details, request, key)
    value, count = (one.name for one in found.columns)
    tops = [TopValue(value=row[value], count=row[count]) for row in found.rows]
    return FrequentValues(
        values=sorted(tops, key=lambda top: -top.count),
        distinct=len(tops) if found.total_groups is None else found.total_groups,
        query=found.query,
    )
