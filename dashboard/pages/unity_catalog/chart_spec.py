"""What a chart shows, as one value: kind, one or two measures, one or two groups: the words of a sentence."""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from services.unity_catalog.models import AggregateRequest, Bucket, Column, GroupBy, Measure, TableDetails

ChartKind = Literal["bar", "line", "area", "scatter", "heatmap", "histogram"]

KINDS: dict[ChartKind, str] = {
    "bar": "bars",
    "line": "a line",
    "area": "an area",
    "scatter": "points",
    "heatmap": "a heat map",
    "histogram": "a histogram",
}
BUCKETS: dict[Bucket, str] = {
    "hour": "each hour",
    "day": "each day",
    "week": "each week",
    "month": "each month",
    "year": "each year",
}
FUNCTIONS = {"sum": "sum", "avg": "average", "min": "smallest", "max": "largest", "count_distinct": "distinct values"}
NONE = "none"
"""What a select says when nothing is chosen: a value of its own, because an empty one would show an empty select."""
MAX_GROUPS = 1_000
BINS = 40
_NUMBERS = frozenset({"integer", "number", "decimal"})
_TIMES = frozenset({"date", "timestamp"})


class ChartSpec(BaseModel):
    """The sentence *Draw <kind> of <first> and <second> by <group> <bucket> and <group2>*; measures as words."""

    model_config = ConfigDict(extra="ignore")

    kind: ChartKind = "bar"
    first: str = "count"
    second: str = ""
    group: str = ""
    bucket: Bucket | None = None
    group2: str = ""
    bucket2: Bucket | None = Field(default=None)

    @classmethod
    def of(cls, data: Any, details: TableDetails) -> Self:
        """Read what a view stores; without anything, the number of rows by the most telling column."""
        names = {column.name for column in details.columns}
        spec = cls.model_validate(data or {})
        known = {one["value"] for one in measure_options(details)}
        if spec.first not in known or spec.second not in known | {""}:  # an address that somebody wrote, or of old
            first = spec.first if spec.first in known else "count"
            second = spec.second if spec.second in known else ""
            spec = spec.model_copy(update={"first": first, "second": second})
        if spec.group not in names:
            column = usual_group(details)
            spec = spec.model_copy(
                update={"group": column.name, "bucket": "day" if column.kind in _TIMES else None, "group2": ""}
            )
        return spec

    def request(self, details: TableDetails, view_filter: Any) -> AggregateRequest:
        """The service's request.

        Raises:
            pydantic.ValidationError: the sentence says nothing that can be asked.
        """
        columns = {column.name: column for column in details.columns}
        chosen = columns[self.group]
        groups = [_group(chosen, self.bucket, bins=self.kind == "histogram" or chosen.kind in {"number", "decimal"})]
        if self.group2 in columns and self.group2 != self.group:
            groups.append(
                _group(columns[self.group2], self.bucket2, bins=columns[self.group2].kind in {"number", "decimal"})
            )
        measures = [measure(word) for word in (self.first, self.second) if word]
        return AggregateRequest(
            group_by=groups,
            measures=measures,
            filter=view_filter,
            limit=MAX_GROUPS,
            order="group" if chosen.kind in _TIMES else "largest",
        )


def measure(word: str) -> Measure:
    """``count`` or ``avg:fare_amount`` as a measure."""
    function, _, column = word.partition(":")
    return Measure(function=function, column=column or None)


def measure_words(word: str) -> str:
    """``average of fare_amount``."""
    function, _, column = word.partition(":")
    return f"{FUNCTIONS[function]} of {column}" if column else "number of rows"


def measure_heading(word: str) -> str:
    """A measure as the heading of a column."""
    return "Rows" if word == "count" else f"{measure_words(word)[:1].upper()}{measure_words(word)[1:]}"


def group_heading(spec: ChartSpec) -> str:
    """The groups as the heading of a column: ``Day``, ``pickup_zip``, ``Day · pickup_zip``."""
    groups = ((spec.group, spec.bucket), (spec.group2, spec.bucket2))
    return " · ".join(bucket.capitalize() if bucket else name for name, bucket in groups if name)


def measure_options(details: TableDetails) -> list[dict[str, str]]:
    """Every measure that suits a column's type."""
    options = [{"label": "number of rows", "value": "count"}]
    for column in details.columns:
        functions = FUNCTIONS if column.kind in _NUMBERS else ("count_distinct",)
        if column.kind in {"nested", "binary", "other"}:
            continue
        options += [
            {"label": measure_words(f"{name}:{column.name}"), "value": f"{name}:{column.name}"} for name in functions
        ]
    return options


def group_options(details: TableDetails) -> list[dict[str, str]]:
    """Columns that can be grouped by."""
    return [
        {"label": column.name, "value": column.name}
        for column in details.columns
        if column.kind not in {"nested", "binary", "other"}
    ]


def usual_group(details: TableDetails) -> Column:
    """A time if there is one, else a text, else the first column."""
    for kinds in (_TIMES, {"text", "boolean"}):
        for column in details.columns:
            if column.kind in kinds:
                return column
    return details.columns[0]


def _group(column: Column, bucket: Bucket | None, *, bins: bool) -> GroupBy:
    if column.kind in _TIMES:
        if column.kind == "date" and bucket == "hour":
            bucket = "day"
        return GroupBy(column=column.name, bucket=bucket or "day")
    return GroupBy(column=column.name, bins=BINS if bins and column.kind in _NUMBERS else None)
