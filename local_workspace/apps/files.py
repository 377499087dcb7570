"""Workspace files: a tree of folders and files under one folder of the state, as the workspace-files API sees it."""

from __future__ import annotations

import contextlib
import hashlib
import posixpath
import shutil
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from local_workspace.store import Store

FILE_LIMIT_BYTES = 10_485_760
"""No file of an app may be larger; the platform refuses the deployment."""
_PREFIX = "/Workspace"

Kind = Literal["DIRECTORY", "FILE"]


class FileError(Exception):
    """A file operation that cannot be done. ``code`` is the platform's error code, ``status`` the HTTP status."""

    def __init__(self, status: int, code: str, message: str) -> None:
        """See the class."""
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message


@dataclass(frozen=True, slots=True)
class Entry:
    """One object of the tree. Times are milliseconds since the epoch."""

    path: str
    kind: Kind
    object_id: int
    size: int
    modified_at: int

    def describe(self) -> dict[str, Any]:
        """The object as ``get-status`` and ``list`` give it."""
        shown = {
            "object_type": self.kind,
            "path": self.path,
            "object_id": self.object_id,
            "resource_id": str(self.object_id),
            "created_at": self.modified_at,
            "modified_at": self.modified_at,
        }
        return shown | ({"size": self.size} if self.kind == "FILE" else {})


class WorkspaceFiles:
    """The tree. Paths are absolute; ``/Workspace`` in front is optional, and left out in what is answered.

    Thread-safe: uploads run side by side, and a file appears whole or not at all.
    """

    def __init__(self, store: Store, folder: Path) -> None:
        """``folder`` holds the tree; it is made by the first write."""
        self._ids = store.collection("workspace_object")
        self._root = folder
        self._lock = threading.RLock()

    def status(self, path: str) -> Entry:
        """What lies at ``path``.

        Raises:
            FileError: 404, nothing.
        """
        plain = normal(path)
        real = self._real(plain)
        if not real.exists():
            raise FileError(404, "RESOURCE_DOES_NOT_EXIST", f"Path ({path}) doesn't exist.")
        stat = real.stat()
        kind: Kind = "DIRECTORY" if real.is_dir() else "FILE"
        return Entry(plain, kind, self._object_id(plain), stat.st_size, int(stat.st_mtime * 1000))

    def known(self, path: str) -> Entry | None:
        """What lies at ``path``, or None."""
        try:
            return self.status(path)
        except FileError:
            return None

    def make_folders(self, path: str) -> None:
        """Make the folder and those above it.

        Raises:
            FileError: 400, a file is in the way.
        """
        try:
            self._real(normal(path)).mkdir(parents=True, exist_ok=True)
        except (FileExistsError, NotADirectoryError):
            raise FileError(400, "RESOURCE_ALREADY_EXISTS", f"A file is in the way of folder ({path}).") from None

    def write(self, path: str, content: bytes, *, overwrite: bool) -> None:
        """Put a file.

        Raises:
            FileError: 404 without the parent folder, 409 for an existing file without ``overwrite``, 400 for a folder.
        """
        plain = normal(path)
        real = self._real(plain)
        with self._lock:
            if not real.parent.is_dir():
                parent = posixpath.dirname(plain)
                raise FileError(404, "RESOURCE_DOES_NOT_EXIST", f"The parent folder ({parent}) does not exist.")
            if real.is_dir():
                raise FileError(400, "INVALID_PARAMETER_VALUE", f"({path}) is a folder.")
            if real.exists() and not overwrite:
                raise FileError(409, "RESOURCE_ALREADY_EXISTS", f"File already exists at ({path}).")
            part = real.with_name(f".{real.name[:60]}.{time.monotonic_ns():x}.part")
            part.write_bytes(content)
            part.replace(real)

    def read(self, path: str) -> bytes:
        """A file's content.

        Raises:
            FileError: 404, there is no such file.
        """
        real = self._real(normal(path))
        if not real.is_file():
            raise FileError(404, "RESOURCE_DOES_NOT_EXIST", f"Path ({path}) doesn't exist.")
        return real.read_bytes()

    def delete(self, path: str, *, recursive: bool) -> None:
        """Remove a file or folder.

        Raises:
            FileError: 404 when there is nothing, 400 for the root or for a folder that is not empty without
                ``recursive``.
        """
        plain = normal(path)
        real = self._real(plain)
        with self._lock:
            if plain == "/":
                raise FileError(400, "INVALID_PARAMETER_VALUE", "The root folder cannot be deleted.")
            if not real.exists():
                raise FileError(404, "RESOURCE_DOES_NOT_EXIST", f"Path ({path}) doesn't exist.")
            if real.is_dir() and not recursive and any(real.iterdir()):
                raise FileError(400, "DIRECTORY_NOT_EMPTY", f"Folder ({path}) is not empty.")
            if real.is_dir():
                shutil.rmtree(real)
            else:
                real.unlink()
            for key, _ in self._ids.items():
                if key == plain or key.startswith(f"{plain}/"):
                    self._ids.delete(key)

    def list(self, path: str) -> list[Entry]:
        """What a folder holds, by name.

        Raises:
            FileError: 404, there is nothing at ``path``.
        """
        entry = self.status(path)
        if entry.kind == "FILE":
            return [entry]
        real = self._real(entry.path)
        names = sorted(child.name for child in real.iterdir() if not child.name.endswith(".part"))
        found = []
        for name in names:
            with contextlib.suppress(FileError):  # deleted since it was listed
                found.append(self.status(posixpath.join(entry.path, name)))
        return found

    def copy_folder(self, path: str, target: Path) -> None:
        """Copy a folder out of the tree: the snapshot that a deployment runs from.

        Raises:
            FileError: 404 without the folder; 400 for a file above the platform's limit.
        """
        plain = normal(path)
        real = self._real(plain)
        if not real.is_dir():
            raise FileError(404, "RESOURCE_DOES_NOT_EXIST", f"Source code path ({path}) doesn't exist.")
        for file in real.rglob("*"):
            if file.is_file() and file.stat().st_size > FILE_LIMIT_BYTES:
                name = file.relative_to(real)
                raise FileError(400, "INVALID_PARAMETER_VALUE", f"File is larger than {FILE_LIMIT_BYTES} bytes: {name}")
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(real, target)

    def path_of(self, object_id: str) -> str | None:
        """The path of an object id, for the permissions API."""
        for path, document in self._ids.items():
            if str(document["object_id"]) == object_id:
                return path
        return None

    def _object_id(self, plain: str) -> int:
        with self._lock:
            document = self._ids.get(plain)
            if document is None:
                # Stable for a path as long as it exists; 53 bits, because clients parse JSON numbers as doubles.
                seed = f"{plain}\0{time.time_ns()}".encode()
                document = {"object_id": int.from_bytes(hashlib.sha256(seed).digest()[:8], "big") >> 12}
                self._ids.put(plain, document)
            return int(document["object_id"])

    def _real(self, plain: str) -> Path:
        return self._root.joinpath(*[part for part in plain.split("/") if part])


def normal(path: str) -> str:
    """A path without ``/Workspace`` in front, without ``.`` and empty parts.

    Raises:
        FileError: 400 for a relative path, one that climbs with ``..``, or one with a zero byte.
    """
    parts = [part for part in path.split("/") if part not in {"", "."}]
    if not path.startswith("/") or ".." in parts or "\0" in path or any(len(part.encode()) > 255 for part in parts):
        raise FileError(400, "INVALID_PARAMETER_VALUE", f"Path ({path}) must be absolute, without '..'.")
    if parts and f"/{parts[0]}" == _PREFIX:
        parts = parts[1:]
    return "/" + "/".join(parts)
