"""Who may use which object, as the parts of the workspace ask it without knowing how the lists are kept."""

from __future__ import annotations

from typing import Any, Protocol

from local_workspace.identity.model import Principal


class Access(Protocol):
    """Access-control lists of workspace objects. ``kind`` is the type in the permissions API, such as ``apps``."""

    def has(self, kind: str, object_id: str, principal: Principal, level: str) -> bool:
        """Whether ``principal`` has ``level`` or a higher one."""

    def grant(self, kind: str, object_id: str, principal: Principal, level: str) -> None:
        """Give ``principal`` a level; a higher one is kept."""

    def ensure(self, kind: str, object_id: str, entries: list[dict[str, Any]]) -> None:
        """Give an object its first list; one that it has stays."""

    def forget(self, kind: str, object_id: str) -> None:
        """Remove the list of an object that is gone."""


class Open:
    """A part that runs on its own, without the permissions API: everybody may use everything, admins manage it."""

    def has(self, kind: str, object_id: str, principal: Principal, level: str) -> bool:  # noqa: ARG002
        """Whether it is less than managing, or an admin asks."""
        return principal.is_admin or not level.startswith(("CAN_MANAGE", "IS_OWNER"))

    def grant(self, kind: str, object_id: str, principal: Principal, level: str) -> None:
        """Nothing has to be granted."""

    def ensure(self, kind: str, object_id: str, entries: list[dict[str, Any]]) -> None:
        """No list is kept."""

    def forget(self, kind: str, object_id: str) -> None:
        """No list is kept."""


EVERYBODY_USES = {"group_name": "users", "permission_level": "CAN_USE"}
"""The entry with which the objects that every workspace starts with are open to all."""
