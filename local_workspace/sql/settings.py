"""Session settings: what SET answers, and the time zone among them."""

from __future__ import annotations

import zoneinfo
from collections.abc import Mapping

from local_workspace.sql.model import SqlError

ZONE_KEYS = ("timezone", "spark.sql.session.timezone")
DEFAULT_ZONE = "Etc/UTC"
DEFAULTS = {
    "ansi_mode": "true",
    "enable_photon": "true",
    "legacy_time_parser_policy": "EXCEPTION",
    "max_file_partition_bytes": "128m",
    "read_only_external_metastore": "false",
    "statement_timeout": "172800",
    "timezone": DEFAULT_ZONE,
    "use_cached_result": "true",
}


def checked_zone(name: str) -> str:
    """The canonical spelling of a time zone.

    Raises:
        SqlError: INVALID_CONF_VALUE.
    """
    if name.upper() in ("UTC", "Z", "GMT"):
        return name.upper() if name.upper() != "Z" else "UTC"
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as fault:
        raise SqlError(
            "INVALID_CONF_VALUE.TIME_ZONE",
            f"The value '{name}' in the config \"spark.sql.session.timeZone\" is invalid. Cannot resolve the "
            f"given timezone.",
            "22022",
        ) from fault
    return name


def initial_configuration(given: Mapping[str, str]) -> dict[str, str]:
    """A session's settings at its start; a time zone that does not exist is left out."""
    made = {key.lower(): value for key, value in given.items()}
    for key in ZONE_KEYS:
        if key in made:
            try:
                made["timezone"] = checked_zone(made[key])
            except SqlError:
                made["timezone"] = DEFAULT_ZONE
    return made


def zone_of(configuration: Mapping[str, str]) -> str:
    """The session's time zone."""
    return configuration.get("timezone", DEFAULT_ZONE)


def is_utc(zone: str) -> bool:
    """Whether the zone never differs from UTC."""
    return zone in ("Etc/UTC", "UTC", "GMT", "Etc/GMT", "Etc/Universal", "Universal", "Zulu", "Etc/Zulu")
