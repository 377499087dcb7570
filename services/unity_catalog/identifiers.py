"""The one place where names become SQL: validated, then back-quoted. Nothing else may put a name into a statement."""

from __future__ import annotations

import re

from services.unity_catalog.errors import invalid
from services.unity_catalog.models import TableRef

# https://docs.databricks.com/aws/en/sql/language-manual/sql-ref-names: object names hold no period, blank, slash or
# control character. Quotation marks are refused beyond that: no catalog of ours needs them, and an attack does.
_OBJECT_NAME = re.compile(r"[^\x00-\x1f\x7f ./'\"`\\;]{1,255}")


def object_name(name: str, field: str) -> str:
    """The name of a catalog, schema or table, unchanged, when it can be one.

    Raises:
        InvalidRequest: it cannot; ``field`` is named.
    """
    if not _OBJECT_NAME.fullmatch(name) or not _encodable(name):
        raise invalid(field, "a name has 1 to 255 characters, without blanks, periods, slashes and quotation marks")
    return name


def reference(catalog: str, schema: str, table: str) -> TableRef:
    """A table by its three names.

    Raises:
        InvalidRequest: one of them cannot be a name; it says which.
    """
    return TableRef.of(object_name(catalog, "catalog"), object_name(schema, "schema"), object_name(table, "table"))


def checked(ref: TableRef) -> TableRef:
    """The reference, unchanged, when its three names can be names.

    Raises:
        InvalidRequest: one of them cannot; it names which.
    """
    object_name(ref.catalog, "catalog")
    object_name(ref.schema_name, "schema")
    object_name(ref.table, "table")
    return ref


def quote(name: str) -> str:
    """A back-quoted identifier; back-quotes inside are doubled, so that every column name can be written.

    Raises:
        InvalidRequest: empty, longer than 255 characters, or with characters that no identifier can hold.
    """
    if not name or len(name) > 255 or "\x00" in name or not _encodable(name):
        raise invalid("column", "a column name has 1 to 255 characters")
    return "`" + name.replace("`", "``") + "`"


def qualified(ref: TableRef) -> str:
    """The table as three quoted names.

    Raises:
        InvalidRequest: one of the names cannot be a name.
    """
    ref = checked(ref)
    return ".".join(quote(part) for part in (ref.catalog, ref.schema_name, ref.table))


def _encodable(text: str) -> bool:
    """Whether the text is valid Unicode (JSON can carry lone surrogates, which no warehouse can)."""
    return not any(0xD800 <= ord(sign) <= 0xDFFF for sign in text)
