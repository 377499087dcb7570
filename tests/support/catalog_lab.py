"""A table of awkward values in the local workspace, and the same rows in Python to compute what must be answered."""

from __future__ import annotations

import base64
import datetime as dt
import math
import random
from decimal import Decimal
from typing import Any

from databricks import sql

from local_workspace.workspace import Workspace

SCHEMA = "lakefront.lab"
TEXTS = [
    None,
    "",
    " ",
    "a",
    "A",
    "ab",
    "it's",
    'say "hi"',
    "100 %",
    "100 %s %(lf_1)s",
    "back`tick",
    "back\\slash",
    "_under_",
    "é",
    "日本",
    "🚕",
    "🚕🚕",
    "line\nbreak",
    ":lf_1",
    "--x",
    "zebra",
]
DOUBLES = [None, math.nan, math.inf, -math.inf, 0.0, 0.1, 1.5, -1.5, 1e300, -1e300, 2.5, 5e-324, 123456.789]
FLOATS = [None, math.nan, math.inf, 0.5, 1.25, -3.75, 100.0]
BIGS = [None, 2**63 - 1, -(2**63), 2**53, 2**53 + 1, -(2**53) - 1, 0, 1, 42]
DECIMALS = [
    None,
    Decimal("0"),
    Decimal("1.5"),
    Decimal("-0.000000000000000001"),
    Decimal("99999999999999999999.999999999999999999"),
    Decimal("-99999999999999999999.999999999999999999"),
    Decimal("12345678901234567.890123456789012345"),
]
DAYS = [None, dt.date(1, 1, 1), dt.date(9999, 12, 31), dt.date(1970, 1, 1), dt.date(2024, 2, 29), dt.date(1969, 12, 31)]
MOMENTS = [
    None,
    dt.datetime(1, 1, 1, tzinfo=dt.UTC),
    dt.datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=dt.UTC),
    dt.datetime(1970, 1, 1, tzinfo=dt.UTC),
    dt.datetime(1969, 12, 31, 23, 59, 59, 999999, tzinfo=dt.UTC),
    dt.datetime(2016, 2, 14, 16, 52, 13, tzinfo=dt.UTC),
    dt.datetime(2016, 2, 14, 16, 52, 13, 1, tzinfo=dt.UTC),
]
INTS = [None, 0, 1, 2, 3, -2147483648, 2147483647, 7]
ODD = "odd `na.me` 100%"
COLUMNS: dict[str, tuple[str, list[Any]]] = {
    "i": ("INT", INTS),
    "big": ("BIGINT", BIGS),
    "d": ("DOUBLE", DOUBLES),
    "f": ("FLOAT", FLOATS),
    "dec": ("DECIMAL(38,18)", DECIMALS),
    "s": ("STRING", TEXTS),
    "b": ("BOOLEAN", [None, True, False]),
    "day": ("DATE", DAYS),
    "ts": ("TIMESTAMP", MOMENTS),
    "ntz": ("TIMESTAMP_NTZ", [None if one is None else one.replace(tzinfo=None) for one in MOMENTS]),
    ODD: ("STRING", TEXTS),
}
NESTED = {
    "bin": "BINARY",
    "arr": "ARRAY<INT>",
    "m": "MAP<STRING, INT>",
    "st": "STRUCT<a: INT, b: STRING>",
}


def rows(count: int, seed: int) -> list[dict[str, Any]]:
    """``count`` rows with a unique ``id``, from a seed."""
    choose = random.Random(seed)
    made = []
    for number in range(count):
        row: dict[str, Any] = {"id": number}
        row |= {name: choose.choice(pool) for name, (_, pool) in COLUMNS.items()}
        row["bin"] = choose.choice([None, b"", b"\x00\xff", "é".encode()])
        row["arr"] = choose.choice([None, [], [1, None, 3], [2**31 - 1]])
        row["m"] = choose.choice([None, {"k": 1}, {"a b": None, "é": -5}])
        row["st"] = choose.choice([None, {"a": 1, "b": "x'y"}, {"a": None, "b": ""}])
        made.append(row)
    return made


def sql_literal(kind: str, value: Any) -> str:
    """A Databricks SQL literal: the lab writes its data without the code that it tests."""
    if value is None:
        return f"CAST(NULL AS {kind})"
    if kind == "BINARY":
        return f"unbase64('{base64.b64encode(value).decode()}')"
    if kind.startswith("ARRAY"):
        return (
            "array(" + ", ".join(sql_literal("INT", one) for one in value) + ")"
            if value
            else "CAST(array() AS ARRAY<INT>)"
        )
    if kind.startswith("MAP"):
        parts = [f"{sql_literal('STRING', key)}, {sql_literal('INT', one)}" for key, one in value.items()]
        return f"map({', '.join(parts)})"
    if kind.startswith("STRUCT"):
        return f"named_struct('a', {sql_literal('INT', value['a'])}, 'b', {sql_literal('STRING', value['b'])})"
    if kind in ("STRING",):
        escaped = value.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n")
        return f"'{escaped}'"
    if kind == "BOOLEAN":
        return str(value)
    text = value.isoformat(sep=" ") if isinstance(value, dt.datetime) else str(value)
    return f"CAST('{ {'nan': 'NaN', 'inf': 'Infinity', '-inf': '-Infinity'}.get(text, text) }' AS {kind})"


def connect(workspace: Workspace, name: str = "deployer") -> Any:
    """A session of the official connector, as ``name``."""
    principal = workspace.directory.service_principal(name) or workspace.directory.get(name)
    assert principal is not None
    token = workspace.tokens.issue(principal, ("all-apis",)).token
    return sql.connect(
        server_hostname="127.0.0.1",
        http_path=f"/sql/1.0/warehouses/{workspace.warehouses.default_id}",
        access_token=token,
        _connection_uri=f"{workspace.url}/sql/1.0/warehouses/{workspace.warehouses.default_id}",
        enable_telemetry=False,
    )


def execute(workspace: Workspace, *statements: str) -> None:
    """Run statements as the workspace's administrator."""
    with connect(workspace) as connection, connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def make_table(workspace: Workspace, name: str, made: list[dict[str, Any]], *, key: bool) -> None:
    """Create the table with these rows, readable by analysts."""
    kinds = {name: kind for name, (kind, _) in COLUMNS.items()} | NESTED
    columns = ", ".join(f"`{column.replace('`', '``')}` {kind}" for column, kind in kinds.items())
    constraint = f", CONSTRAINT {name}_pk PRIMARY KEY (id)" if key else ""
    statements = [
        f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}",
        f"GRANT USE SCHEMA ON SCHEMA {SCHEMA} TO `analysts`",
        f"CREATE OR REPLACE TABLE {SCHEMA}.{name} (id BIGINT NOT NULL, {columns}{constraint})",
        f"GRANT SELECT ON TABLE {SCHEMA}.{name} TO `analysts`",
    ]
    for at in range(0, len(made), 50):
        values = ", ".join(
            "(" + ", ".join([str(row["id"])] + [sql_literal(kind, row[column]) for column, kind in kinds.items()]) + ")"
            for row in made[at : at + 50]
        )
        statements.append(f"INSERT INTO {SCHEMA}.{name} VALUES {values}")
    execute(workspace, *statements)
