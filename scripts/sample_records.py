"""A few Lakebase records for one person, so that the Lakebase page is not empty at the first visit.

Runs as the app's service principal, which owns the tables, and goes through the app's own service: the same checks, row
security and audit rows as for a click. The app makes the tables at its first start; this never does.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from services.errors import AlreadyExists
from services.identity import User
from services.lakebase import LakebaseService
from services.lakebase.models import APPLICATION_STATE, CONFIGURATION, PREFERENCE, RecordKind
from services.settings import Settings
from services.workspace_client import ClientFactory


def records(catalog: str) -> tuple[tuple[RecordKind, str, Any], ...]:
    """The records: what kind, its key, its value. At most five."""
    orders = f"{catalog}.sales.orders"
    return (
        (PREFERENCE, "number-format", {"decimals": 2, "grouping": True}),
        (PREFERENCE, "favourite-tables", ["samples.nyctaxi.trips", orders]),
        (PREFERENCE, "week-starts-on", "monday"),
        (
            CONFIGURATION,
            "large-orders",
            {
                "table": orders,
                "view": "rows",
                "filter": [{"column": "amount", "operator": "ge", "value": 300}],
                "sort": [{"column": "amount", "direction": "desc"}],
                "hidden": ["customer_id", "is_gift"],
                "page_size": 100,
            },
        ),
        (APPLICATION_STATE, "last-table", {"table": orders}),
    )


def load(settings: Settings, user_id: str, catalog: str, report: Callable[[str, str], None]) -> None:
    """Add the records that the user does not have yet; existing ones are left alone.

    Args:
        settings: the app's settings; its service principal must own the tables.
        user_id: the workspace's (SCIM) id of the person.
        catalog: where the sample tables are, for the values.
        report: called with the outcome (created or unchanged) and what, for each record.

    Raises:
        services.errors.LakefrontError: the database cannot be reached, or has not been set up by the app.
    """
    never_migrate = settings.model_copy(update={"lakebase_migrate": False})
    service = LakebaseService(never_migrate, ClientFactory(never_migrate))
    owner = User(user_id, "", "", (), True, (), None, "")
    service.start()
    try:
        for kind, key, value in records(catalog):
            what = f"{kind.name} {key}"
            try:
                service.create_record(owner, kind, key, json.dumps(value))
            except AlreadyExists:
                report("unchanged", what)
            else:
                report("created", what)
    finally:
        service.close()
