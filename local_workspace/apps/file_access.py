"""Who may read and write which workspace files.

Everybody owns the folder below ``/Users`` that has their name, shares ``/Shared``, and otherwise reaches what a
folder's or file's access-control list says, which holds for everything below it. Admins reach everything.
Rules: https://docs.databricks.com/aws/en/security/auth/access-control/#folder-acls
"""

from __future__ import annotations

import posixpath

from local_workspace.apps.files import FileError, WorkspaceFiles, normal
from local_workspace.apps.permissions import LEVELS, Permissions
from local_workspace.identity.model import Principal

_OPEN_TO_READ = frozenset({"/", "/Users"})
_KINDS = {"DIRECTORY": "directories", "FILE": "files"}


class FileAccess:
    """Decides for one tree of files."""

    def __init__(self, files: WorkspaceFiles, permissions: Permissions) -> None:
        """``permissions`` keeps the lists of folders and files."""
        self._files = files
        self._permissions = permissions

    def require(self, path: str, principal: Principal, level: str = "CAN_READ") -> None:
        """Refuse whoever lacks ``level`` (``CAN_READ``, ``CAN_EDIT`` or ``CAN_MANAGE``) on ``path``.

        Raises:
            FileError: 403, or 400 for a path that is none.
        """
        if not self.allows(path, principal, level):
            what = {"CAN_READ": "view", "CAN_EDIT": "edit", "CAN_MANAGE": "manage"}[level]
            message = f"{principal.name} does not have permission to {what} {path}."
            raise FileError(403, "PERMISSION_DENIED", message)

    def allows(self, path: str, principal: Principal, level: str = "CAN_READ") -> bool:
        """Whether ``principal`` has ``level`` on ``path``, which need not exist.

        Raises:
            FileError: 400 for a path that is none.
        """
        plain = normal(path)
        if principal.is_admin or _is_below(plain, f"/Users/{principal.name}"):
            return True
        if _is_below(plain, "/Shared") and level != "CAN_MANAGE":
            return True
        if plain in _OPEN_TO_READ and level == "CAN_READ":
            return True
        return self._is_listed(plain, principal, level)

    def _is_listed(self, plain: str, principal: Principal, level: str) -> bool:
        """Whether the list of ``plain`` or of a folder above it says so."""
        while plain != "/":
            entry = self._files.known(plain)
            if entry is not None:
                kind = _KINDS[entry.kind]
                held = self._permissions.level(kind, str(entry.object_id), principal)
                if held is not None and LEVELS[kind].index(held) >= LEVELS[kind].index(level):
                    return True
            plain = posixpath.dirname(plain)
        return False


def _is_below(plain: str, folder: str) -> bool:
    return f"{plain}/".startswith(f"{folder}/")
