"""Errors as a SQL warehouse words them.

Classes and SQLSTATEs are those of the Databricks documentation ("Error conditions in Databricks"). DuckDB's own texts
name physical tables, masked expressions and literals of row filters: none of them is passed on.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import duckdb

from local_workspace.sql.model import SqlError
from local_workspace.unity_catalog.errors import (
    AlreadyExists,
    NotEmpty,
    NotFound,
    PermissionDenied,
    PrincipalNotFound,
    UnityCatalogError,
)

_RAISED = re.compile(r"\[([A-Z][A-Z0-9_.]+)\] (.*?) SQLSTATE: ([0-9A-Z]{5})", re.DOTALL)
_COLUMN = re.compile(r'(?:Referenced column|column named|Table .* does not have a column named) "((?:[^"]|"")+)"')
_REFERENCED_TABLE = re.compile(r'Referenced table "((?:[^"]|"")+)" not found')
_CAST = re.compile(
    r"(?:Could not convert string|Failed to cast value|could not parse) ['\"]?(.*?)['\"]? (?:to|into) ", re.IGNORECASE
)
_AMBIGUOUS = re.compile(r'Ambiguous reference to column name "((?:[^"]|"")+)"')


def _name(parts: Iterable[str]) -> str:
    return ".".join("`" + part.replace("`", "``") + "`" for part in parts)


def syntax(statement: str, near: str = "") -> SqlError:
    """The statement is not Databricks SQL; the message repeats it, as the platform's does."""
    where = f"Syntax error at or near '{near}'." if near else "Syntax error at or near end of input."
    return SqlError("PARSE_SYNTAX_ERROR", f"{where}\n\n== SQL ==\n{statement[:2000]}\n\n", "42601")


def unsupported(what: str) -> SqlError:
    """The local workspace cannot answer this with the platform's meaning, so it does not answer."""
    return SqlError(
        "UNSUPPORTED_FEATURE.LOCAL_WORKSPACE",
        f"The feature is not supported: {what} is not available in the local workspace; it may work on Databricks.",
        "0A000",
    )


def too_complex() -> SqlError:
    """The statement, with the views and functions that it names, is larger than what is planned."""
    return SqlError(
        "FAILED_TO_PARSE_TOO_COMPLEX",
        "The statement, including potential SQL functions and referenced views, was too complex to parse.\n"
        "To mitigate this error divide the statement into multiple, less complex chunks.",
        "54001",
    )


def table_not_found(parts: Iterable[str]) -> SqlError:
    """No such table or view."""
    return SqlError(
        "TABLE_OR_VIEW_NOT_FOUND",
        f"The table or view {_name(parts)} cannot be found. Verify the spelling and correctness of the schema "
        f"and catalog.\n"
        "If you did not qualify the name with a schema, verify the current_schema() output, or qualify the "
        "name with the "
        "correct schema and catalog.\n"
        "To tolerate the error on drop use DROP VIEW IF EXISTS or DROP TABLE IF EXISTS.",
        "42P01",
    )


def schema_not_found(parts: Iterable[str]) -> SqlError:
    """No such schema."""
    return SqlError(
        "SCHEMA_NOT_FOUND",
        f"The schema {_name(parts)} cannot be found. Verify the spelling and correctness of the schema and catalog.\n"
        "If you did not qualify the name with a catalog, verify the current_schema() output, or qualify the "
        "name with the "
        "correct catalog.\n"
        "To tolerate the error on drop use DROP SCHEMA IF EXISTS.",
        "42704",
    )


def catalog_not_found(name: str) -> SqlError:
    """No such catalog."""
    return SqlError(
        "NO_SUCH_CATALOG_EXCEPTION",
        f"Catalog '{name}' was not found. Please verify the catalog name and then retry the query or command again.",
        "42704",
    )


def already_exists(kind: str, parts: Iterable[str]) -> SqlError:
    """``kind`` is TABLE_OR_VIEW, SCHEMA, CATALOG or ROUTINE."""
    states = {"TABLE_OR_VIEW": "42P07", "SCHEMA": "42P06", "CATALOG": "42710", "ROUTINE": "42723"}
    words = kind.lower().replace("_or_", " or ")
    return SqlError(
        f"{kind}_ALREADY_EXISTS",
        f"Cannot create {words} {_name(parts)} because it already exists.",
        states.get(kind, "42710"),
    )


def routine_not_found(parts: Iterable[str]) -> SqlError:
    """No such function."""
    return SqlError(
        "UNRESOLVED_ROUTINE",
        f"Cannot resolve routine {_name(parts)} on search path [`system`.`builtin`, `system`.`session`].",
        "42883",
    )


def column_not_found(name: str, known: Iterable[str] = ()) -> SqlError:
    """No such column; ``known`` are the names that the caller may use instead."""
    suggestions = ", ".join(_name([item]) for item in list(known)[:5])
    if suggestions:
        return SqlError(
            "UNRESOLVED_COLUMN.WITH_SUGGESTION",
            f"A column, variable, or function parameter with name {_name(name.split('.'))} cannot be resolved. "
            f"Did you mean one of the following? [{suggestions}].",
            "42703",
        )
    return SqlError(
        "UNRESOLVED_COLUMN.WITHOUT_SUGGESTION",
        f"A column, variable, or function parameter with name {_name(name.split('.'))} cannot be resolved.",
        "42703",
    )


def insufficient(privilege: str, kind: str, full_name: str) -> SqlError:
    """The caller lacks ``privilege`` on the ``kind`` (Catalog, Schema, Table, Function) named ``full_name``."""
    return SqlError(
        "INSUFFICIENT_PERMISSIONS",
        f"Insufficient privileges:\nUser does not have {privilege} on {kind} '{full_name}'.",
        "42501",
    )


def unbound(name: str) -> SqlError:
    """A parameter marker without a value."""
    return SqlError(
        "UNBOUND_SQL_PARAMETER",
        f"Found the unbound parameter: {name}. Please, fix `args` and provide a mapping of the parameter to "
        f"either a SQL "
        "literal or collection constructor functions such as `map()`, `array()`, `struct()`.",
        "42P02",
    )


def canceled() -> SqlError:
    """Somebody cancelled the statement."""
    return SqlError("OPERATION_CANCELED", "Operation has been canceled.", "HY008")


def internal() -> SqlError:
    """Something that should not happen; the log has the cause."""
    return SqlError(
        "INTERNAL_ERROR", "The local workspace failed to run the statement. Its log has the cause.", "XX000"
    )


def _binder(message: str, known: Iterable[str]) -> SqlError:
    for pattern in (_COLUMN, _REFERENCED_TABLE):
        found = pattern.search(message)
        if found:
            return column_not_found(found.group(1).replace('""', '"'), known)
    found = _AMBIGUOUS.search(message)
    if found:
        name = found.group(1)
        return SqlError("AMBIGUOUS_REFERENCE", f"Reference {_name([name])} is ambiguous.", "42704")
    if "GROUP BY" in message:
        return SqlError(
            "MISSING_AGGREGATION",
            "A non-aggregating expression is based on columns which are not participating in the GROUP BY clause.\n"
            "Add the columns or the expression to the GROUP BY, aggregate the expression, or use any_value() if "
            "you do not care "
            "which of the values within a group is returned.",
            "42803",
        )
    if "aggregate" in message.lower() and "WHERE" in message:
        return SqlError("INVALID_WHERE_CONDITION", "The WHERE clause must not contain aggregate functions.", "42903")
    return SqlError(
        "DATATYPE_MISMATCH",
        "Cannot resolve an expression of the statement because its arguments have the wrong number or data types.",
        "42K09",
    )


def _conversion(message: str) -> SqlError:
    if "field value out of range" not in message and (
        "out of range" in message or "outside the range" in message or "overflow" in message.lower()
    ):
        return SqlError(
            "CAST_OVERFLOW",
            "A value cannot be cast to the requested type due to an overflow. Use `try_cast` to tolerate "
            "overflow and return NULL instead.",
            "22003",
        )
    found = _CAST.search(message)
    value = f"The value '{found.group(1)[:100]}'" if found else "A value"
    return SqlError(
        "CAST_INVALID_INPUT",
        f"{value} cannot be cast to the requested type because it is malformed. Correct the value as per the "
        f"syntax, or change its "
        "target type. Use `try_cast` to tolerate malformed input and return NULL instead.",
        "22018",
    )


_DIVIDE = SqlError(
    "DIVIDE_BY_ZERO",
    "Division by zero. Use `try_divide` to tolerate divisor being 0 and return NULL instead.",
    "22012",
)


def from_duckdb(fault: BaseException, known: Iterable[str] = ()) -> SqlError:
    """What a client sees for an exception of DuckDB or of reading its Arrow stream.

    ``known`` are column names that the caller may see, for suggestions. A text that a macro raised on purpose
    (``[CLASS] … SQLSTATE: nnnnn``) passes unchanged; every other text of DuckDB is replaced.
    """
    message = str(fault)
    raised = _RAISED.search(message)
    if raised and not isinstance(fault, duckdb.BinderException | duckdb.CatalogException):
        return SqlError(raised.group(1), raised.group(2), raised.group(3))
    if isinstance(fault, duckdb.InterruptException) or "INTERRUPT" in message:
        return canceled()
    if isinstance(fault, duckdb.BinderException):
        return _binder(message, known)
    return _runtime(message)


def _runtime(message: str) -> SqlError:
    lowered = message.lower()
    if "division by zero" in lowered or "divide by zero" in lowered:
        return _DIVIDE
    if "constraint" in lowered and "not null" in lowered:
        return SqlError("DELTA_NOT_NULL_CONSTRAINT_VIOLATED", "NOT NULL constraint violated for a column.", "23502")
    if "conversion error" in lowered or "could not convert" in lowered or "unimplemented type for cast" in lowered:
        return _conversion(message)
    if "out of range" in lowered or "overflow" in lowered:
        return SqlError(
            "ARITHMETIC_OVERFLOW",
            'Arithmetic overflow. If necessary set "ansi_mode" to "false" to bypass this error.',
            "22003",
        )
    if "more than one row returned by a subquery" in lowered:
        return SqlError(
            "SCALAR_SUBQUERY_TOO_MANY_ROWS", "More than one row returned by a subquery used as an expression.", "21000"
        )
    if "out of memory" in lowered:
        return SqlError(
            "INSUFFICIENT_RESOURCES", "The statement needs more memory than the local workspace may use.", "53200"
        )
    if "conflict" in lowered:
        return SqlError(
            "DELTA_CONCURRENT_WRITE",
            "Another statement changed the table at the same time. Please try the operation again.",
            "2D521",
        )
    if "invalid input error" in lowered:
        return SqlError(
            "INVALID_PARAMETER_VALUE",
            "A value of the statement is not valid for the function that receives it.",
            "22023",
        )
    return internal()


def wrong_arguments(function: str, expected: int, given: int) -> SqlError:
    """A call with the wrong number of arguments."""
    return SqlError(
        "WRONG_NUM_ARGS.WITHOUT_SUGGESTION",
        f"The `{function}` requires {expected} parameters but the actual number is {given}.",
        "42605",
    )


def from_catalog(fault: UnityCatalogError) -> SqlError:
    """The SQL form of what the metastore refuses."""
    if isinstance(fault, PermissionDenied):
        return SqlError("INSUFFICIENT_PERMISSIONS", f"Insufficient privileges:\n{fault.message}", "42501")
    if isinstance(fault, NotFound):
        return _not_found(fault.securable_type, fault.full_name)
    if isinstance(fault, AlreadyExists):
        kinds = {"table": "TABLE_OR_VIEW", "function": "ROUTINE"}
        return already_exists(kinds.get(fault.securable_type, fault.securable_type.upper()), fault.full_name.split("."))
    if isinstance(fault, NotEmpty):
        parts = _name(fault.full_name.split("."))
        return SqlError(
            "SCHEMA_NOT_EMPTY",
            f"Cannot drop a {fault.securable_type} {parts} because it contains objects.\nUse DROP SCHEMA ... "
            f"CASCADE to drop it and all its objects.",
            "2BP01",
        )
    if isinstance(fault, PrincipalNotFound):
        return SqlError("PRINCIPAL_DOES_NOT_EXIST", fault.message, "42704")
    return SqlError("INVALID_PARAMETER_VALUE", fault.message, "22023")


def _not_found(kind: str, full_name: str) -> SqlError:
    parts = full_name.split(".")
    if kind == "catalog":
        return catalog_not_found(full_name)
    if kind == "schema":
        return schema_not_found(parts)
    if kind == "function":
        return routine_not_found(parts)
    return table_not_found(parts)


def limit_like(clause: str) -> SqlError:
    """A LIMIT or OFFSET that is not a non-negative INT."""
    return SqlError(
        "INVALID_LIMIT_LIKE_EXPRESSION.DATA_TYPE",
        f"The {clause} expression must be a non-negative integer of the type INT.",
        "42K0E",
    )
