"""Reads column definitions and table constraints of CREATE TABLE and ALTER TABLE."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from local_workspace.sql import errors, types
from local_workspace.sql.reader import Reader
from local_workspace.unity_catalog.model import Column, ColumnMask, RowFilter

_AFTER_TYPE = (
    "NOT",
    "NULL",
    "COMMENT",
    "MASK",
    "DEFAULT",
    "GENERATED",
    "CONSTRAINT",
    "PRIMARY",
    "REFERENCES",
    "COLLATE",
    "FIRST",
    "AFTER",
)


@dataclass(slots=True)
class TableDefinition:
    """What stands in the parentheses of a CREATE TABLE, and after them."""

    columns: list[Column] = field(default_factory=list)
    primary_key: tuple[str, ...] = ()
    comment: str | None = None
    properties: dict[str, str] = field(default_factory=dict)
    row_filter: RowFilter | None = None


FullName = Callable[[list[str]], str]


def column(reader: Reader, function_name: FullName) -> tuple[Column, bool]:
    """Read ``name type [NOT NULL] [COMMENT …] [MASK …] [PRIMARY KEY]``; the column, and whether it is the key.

    Raises:
        SqlError: something else is written there, or is not supported.
    """
    made = Column(reader.name(), types.type_text(types.parse_type(reader.until(*_AFTER_TYPE))))
    key = False
    while reader.peek() not in (",", ")", ""):
        if reader.accept("NOT", "NULL"):
            made = replace(made, nullable=False)
        elif reader.accept("COMMENT"):
            made = replace(made, comment=reader.string())
        elif reader.accept("MASK"):
            made = replace(made, mask=mask(reader, function_name))
        elif reader.peek() in ("PRIMARY", "CONSTRAINT"):
            key = _inline_key(reader)
        elif reader.peek() in ("DEFAULT", "GENERATED", "COLLATE", "REFERENCES"):
            raise errors.unsupported(f"{reader.peek()} of a column")
        else:
            raise reader.fault()
    return made, key


def _inline_key(reader: Reader) -> bool:
    if reader.accept("CONSTRAINT"):
        reader.name()
    reader.expect("PRIMARY", "KEY")
    _not_enforced(reader)
    return True


def _not_enforced(reader: Reader) -> None:
    while reader.one_of(
        "NOT", "ENFORCED", "RELY", "NORELY", "TIMESERIES", "INITIALLY", "DEFERRED", "NOVALIDATE", "DEFERRABLE"
    ):
        pass


def mask(reader: Reader, function_name: FullName) -> ColumnMask:
    """Read ``function [USING COLUMNS (…)]``."""
    function = function_name(reader.parts())
    return ColumnMask(function, tuple(reader.name_list()) if reader.accept("USING", "COLUMNS") else ())


def row_filter(reader: Reader, function_name: FullName) -> RowFilter:
    """Read ``function ON (…)``."""
    function = function_name(reader.parts())
    reader.expect("ON")
    return RowFilter(function, tuple(reader.name_list()))


def key_constraint(reader: Reader) -> tuple[str, ...]:
    """Read ``[CONSTRAINT name] PRIMARY KEY (…) [NOT ENFORCED] …``.

    Raises:
        SqlError: another constraint.
    """
    if reader.accept("CONSTRAINT"):
        reader.name()
    if reader.peek() in ("FOREIGN", "CHECK"):
        raise errors.unsupported(f"A {reader.peek()} constraint")
    reader.expect("PRIMARY", "KEY", "(")
    keys = []
    while not reader.accept(")"):
        keys.append(reader.name())
        reader.accept("TIMESERIES")
        if reader.peek() != ")":
            reader.expect(",")
    _not_enforced(reader)
    return tuple(keys)


def body(reader: Reader, function_name: FullName, made: TableDefinition) -> None:
    """Read ``( columns and constraints )`` into ``made``."""
    reader.expect("(")
    while not reader.accept(")"):
        if _is_constraint(reader):
            made.primary_key = key_constraint(reader)
        else:
            item, key = column(reader, function_name)
            made.columns.append(item)
            made.primary_key = (item.name,) if key else made.primary_key
        if reader.peek() != ")":
            reader.expect(",")
    keys = {name.lower() for name in made.primary_key}
    made.columns = [replace(item, nullable=item.nullable and item.name.lower() not in keys) for item in made.columns]


def _is_constraint(reader: Reader) -> bool:
    return (reader.peek() == "CONSTRAINT" and reader.peek(2) in ("PRIMARY", "FOREIGN", "CHECK")) or (
        reader.peek() in ("PRIMARY", "FOREIGN") and reader.peek(1) == "KEY"
    )


def clauses(reader: Reader, function_name: FullName, made: TableDefinition) -> bool:
    """Read what follows the columns, in any order; whether ``AS query`` comes next.

    Partitioning and clustering say how files are laid out, which no result shows: they are read and forgotten.
    """
    while not reader.ended:
        if reader.accept("AS"):
            return True
        if reader.accept("COMMENT"):
            made.comment = reader.string()
        elif reader.accept("TBLPROPERTIES"):
            made.properties = reader.properties()
        elif reader.accept("WITH", "ROW", "FILTER"):
            made.row_filter = row_filter(reader, function_name)
        elif reader.peek() in ("SELECT", "WITH", "VALUES"):
            return True
        else:
            _layout(reader)
    return False


def _layout(reader: Reader) -> None:
    if reader.accept("USING"):
        source = reader.name()
        if source.upper() != "DELTA":
            raise errors.unsupported(f"A table of {source.upper()}")
    elif reader.accept("CLUSTER", "BY", "AUTO") or reader.accept("CLUSTER", "BY", "NONE"):
        return
    elif reader.accept("PARTITIONED", "BY") or reader.accept("CLUSTER", "BY"):
        reader.name_list()
    elif reader.peek() in ("LOCATION", "OPTIONS"):
        raise errors.unsupported(f"{reader.peek()} of a table")
    else:
        raise reader.fault()
