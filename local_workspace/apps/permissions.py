"""Access-control lists of workspace objects: ``/api/2.0/permissions/{type}/{id}``.

A PUT replaces the whole list, as on the platform: what it leaves out loses its access, except the owner, and except
admins, whose access is inherited.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from local_workspace.identity.model import ADMIN_GROUP, Principal
from local_workspace.store import Store

LEVELS: dict[str, tuple[str, ...]] = {
    "apps": ("CAN_USE", "CAN_MANAGE"),
    "database-instances": ("CAN_USE", "CAN_CREATE", "CAN_MANAGE"),
    "database-projects": ("CAN_USE", "CAN_CREATE", "CAN_MANAGE"),
    "serving-endpoints": ("CAN_VIEW", "CAN_QUERY", "CAN_MANAGE"),
    "sql/warehouses": ("CAN_VIEW", "CAN_MONITOR", "CAN_USE", "CAN_MANAGE", "IS_OWNER"),
    "directories": ("CAN_READ", "CAN_RUN", "CAN_EDIT", "CAN_MANAGE"),
    "files": ("CAN_READ", "CAN_RUN", "CAN_EDIT", "CAN_MANAGE"),
}
"""Object types and their levels, each including those before it."""
EVERYBODY = frozenset({"users", "account users"})
_KINDS = ("user_name", "group_name", "service_principal_name")

Entry = dict[str, Any]
OwnerOf = Callable[[str], str | None]
"""The owner of an object id, or None when the object does not exist."""


class AclError(ValueError):
    """A list that cannot be set; ``str()`` is the platform's message."""


class Permissions:
    """The lists, in the store's collection that serving endpoints read too."""

    def __init__(self, store: Store) -> None:
        """No type of object is known yet: the parts ask for access before all of them are built."""
        self._lists = store.collection("permissions")
        self._owners: dict[str, OwnerOf] = {}

    def know(self, owners: dict[str, OwnerOf]) -> None:
        """``owners`` says, for each type of object, who owns one."""
        self._owners |= owners

    def exists(self, kind: str, object_id: str) -> bool:
        """Whether the object exists."""
        return self._owners[kind](object_id) is not None

    def entries(self, kind: str, object_id: str) -> list[Entry]:
        """The object's own list, without what is inherited."""
        document = self._lists.get(f"{kind}/{object_id}") or {}
        entries: list[Entry] = document.get("access_control_list", [])
        return entries

    def replace(self, kind: str, object_id: str, wanted: Iterable[Any]) -> None:
        """Set the whole list. The owner keeps the highest level whatever the list says.

        Raises:
            AclError: an entry without exactly one principal, or an unknown level.
        """
        entries = [_checked(kind, entry) for entry in wanted]
        owner = self._owners[kind](object_id)
        if owner and not any(owner in (entry.get(name) for name in _KINDS) for entry in entries):
            entries.append({_kind_of(owner): owner, "permission_level": "CAN_MANAGE"})
        self._lists.put(f"{kind}/{object_id}", {"access_control_list": entries})

    def add(self, kind: str, object_id: str, wanted: Iterable[Any]) -> None:
        """Add to the list (PATCH); an entry of the same principal is replaced."""
        new = [_checked(kind, entry) for entry in wanted]
        named = {_principal(entry) for entry in new}
        kept = [entry for entry in self.entries(kind, object_id) if _principal(entry) not in named]
        self._lists.put(f"{kind}/{object_id}", {"access_control_list": kept + new})

    def ensure(self, kind: str, object_id: str, entries: list[Entry]) -> None:
        """Give an object its first list; one that it has stays."""
        self._lists.add(f"{kind}/{object_id}", {"access_control_list": entries})

    def grant(self, kind: str, object_id: str, principal: Principal, level: str) -> None:
        """Give ``principal`` a level, as attaching a resource to an app does. Keeps a higher one."""
        held = self.level(kind, object_id, principal, own_entry=True)
        if held is not None and LEVELS[kind].index(held) >= LEVELS[kind].index(level):
            return
        name = "user_name" if principal.kind == "user" else "service_principal_name"
        self.add(kind, object_id, [{name: principal.name, "permission_level": level}])

    def revoke(self, kind: str, object_id: str, principal: Principal) -> None:
        """Take ``principal``'s own entry out."""
        kept = [entry for entry in self.entries(kind, object_id) if principal.name not in _principal(entry)]
        self._lists.put(f"{kind}/{object_id}", {"access_control_list": kept})

    def forget(self, kind: str, object_id: str) -> None:
        """Remove the list of an object that is gone."""
        self._lists.delete(f"{kind}/{object_id}")

    def level(self, kind: str, object_id: str, principal: Principal, *, own_entry: bool = False) -> str | None:
        """The highest level that ``principal`` has, or None. ``own_entry`` looks at its own entry only."""
        levels = LEVELS[kind]
        if not own_entry and (principal.is_admin or self._owners[kind](object_id) == principal.name):
            return "CAN_MANAGE"
        held = [e for e in self.entries(kind, object_id) if _is_for(e, principal, groups=not own_entry)]
        names = {_level(entry) for entry in held}
        return next((level for level in reversed(levels) if level in names), None)

    def has(self, kind: str, object_id: str, principal: Principal, level: str) -> bool:
        """Whether ``principal`` has ``level`` or a higher one."""
        held = self.level(kind, object_id, principal)
        return held is not None and LEVELS[kind].index(held) >= LEVELS[kind].index(level)

    def describe(self, kind: str, object_id: str) -> dict[str, Any]:
        """The answer of GET, PUT and PATCH."""
        shown = [
            {**{name: entry[name] for name in _KINDS if name in entry}, "all_permissions": [_shown(_level(entry))]}
            for entry in self.entries(kind, object_id)
        ]
        shown.append({"group_name": ADMIN_GROUP, "all_permissions": [_shown("CAN_MANAGE", inherited=True)]})
        return {
            "object_id": f"/{kind}/{object_id}",
            "object_type": kind.rpartition("/")[2].removesuffix("s") if kind != "apps" else "apps",
            "access_control_list": shown,
        }


def _shown(level: str, *, inherited: bool = False) -> Entry:
    return {"permission_level": level, "inherited": inherited}


def _checked(kind: str, entry: Any) -> Entry:
    if not isinstance(entry, dict):
        raise AclError("Each entry of access_control_list must be an object.")
    named = [name for name in _KINDS if entry.get(name)]
    if len(named) != 1:
        raise AclError(f"Exactly one of {', '.join(_KINDS)} must be specified.")
    level = entry.get("permission_level")
    if level not in LEVELS[kind]:
        raise AclError(f"{level!r} is not a permission level of {kind}; it must be one of {', '.join(LEVELS[kind])}.")
    return {named[0]: entry[named[0]], "permission_level": level}


def _kind_of(name: str) -> str:
    return "user_name" if "@" in name else "service_principal_name"


def _principal(entry: Entry) -> tuple[str, ...]:
    return tuple(str(entry[name]) for name in _KINDS if entry.get(name))


def _level(entry: Entry) -> str:
    """The level of an entry in its request form or its answer form."""
    if "permission_level" in entry:
        return str(entry["permission_level"])
    return str((entry.get("all_permissions") or [{}])[0].get("permission_level", ""))


def _is_for(entry: Entry, principal: Principal, *, groups: bool) -> bool:
    group = entry.get("group_name")
    if group is not None:
        return groups and (group in principal.groups or group in EVERYBODY)
    return principal.name.lower() in {name.lower() for name in _principal(entry)}
