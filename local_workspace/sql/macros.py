"""Functions with the platform's meaning, as macros of a library database that only the engine itself names."""

from __future__ import annotations

from typing import Any

LIBRARY = "lib"

MACROS: tuple[str, ...] = ()


def install(connection: Any) -> None:
    """Make the library in a fresh instance. Must run before its settings are locked."""
    connection.execute(f"ATTACH ':memory:' AS {LIBRARY}")
    for definition in MACROS:
        connection.execute(f"CREATE MACRO {LIBRARY}.main.{definition}")
