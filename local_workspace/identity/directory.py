"""Accounts, groups and service principals, kept in the store."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
import uuid
from typing import Any, Literal

from local_workspace.identity.model import ADMIN_GROUP, Principal
from local_workspace.store import Store

EVERYONE = "account users"
"""The group that everybody belongs to."""

DEPLOYER = "deployer"
APP = "lakefront-app"

_ACCOUNTS = (
    ("analyst@example.com", "Ada Analyst", ("analysts",)),
    ("manager@example.com", "Mara Manager", ("analysts", "managers")),
    ("newcomer@example.com", "Noa Newcomer", ()),
)


class Directory:
    """The workspace's identities. Thread-safe; reads come from memory."""

    def __init__(self, store: Store) -> None:
        """Nothing is read until ``start``."""
        self._principals = store.collection("principal")
        self._lock = threading.RLock()
        self._by_id: dict[str, Principal] = {}
        self._by_name: dict[str, Principal] = {}
        self._secret_hashes: dict[str, list[str]] = {}

    def start(self) -> None:
        """Load what is stored; at the first start make the accounts and the two service principals of a workspace."""
        for document in self._principals.values():
            self._remember(document)
        for name, display_name, groups in _ACCOUNTS:
            if name not in self._by_name:
                self._create(name, display_name, "user", groups, [])
        for display_name, groups in ((DEPLOYER, (ADMIN_GROUP,)), (APP, ())):
            if self.service_principal(display_name) is None:
                self.create_service_principal(display_name, frozenset(groups))

    def accounts(self) -> list[Principal]:
        """The people."""
        return [p for p in self._by_id.values() if p.kind == "user"]

    def principals(self) -> list[Principal]:
        """People and service principals."""
        return list(self._by_id.values())

    def get(self, name: str) -> Principal | None:
        """The person of an e-mail address or the service principal of a client id."""
        return self._by_name.get(name.lower())

    def by_id(self, principal_id: str) -> Principal | None:
        """The principal of a SCIM id."""
        return self._by_id.get(principal_id)

    def service_principal(self, display_name: str) -> Principal | None:
        """The first service principal of that display name."""
        for principal in self._by_id.values():
            if principal.kind == "service_principal" and principal.display_name == display_name:
                return principal
        return None

    def groups(self) -> dict[str, frozenset[str]]:
        """Every group and the names of its members."""
        members: dict[str, set[str]] = {ADMIN_GROUP: set(), "users": set(), "analysts": set(), "managers": set()}
        for principal in self._by_id.values():
            for group in principal.groups:
                members.setdefault(group, set()).add(principal.name)
        return {group: frozenset(names) for group, names in members.items()}

    def create_service_principal(
        self, display_name: str, groups: frozenset[str] = frozenset(), secret: str | None = None
    ) -> tuple[Principal, str]:
        """Make a service principal with a client id and a secret; the secret is kept as a hash only."""
        secret = secret or f"dose{secrets.token_hex(16)}"
        principal = self._create(str(uuid.uuid4()), display_name, "service_principal", tuple(groups), [_hash(secret)])
        return principal, secret

    def add_secret(self, client_id: str) -> str:
        """Give a service principal one more secret; earlier ones stay good.

        Raises:
            KeyError: there is no such service principal.
        """
        secret = f"dose{secrets.token_hex(16)}"
        with self._lock:
            principal = self._by_name[client_id.lower()]
            hashes = [*self._secret_hashes.get(principal.id, []), _hash(secret)][-20:]
            self._write(_document(principal, hashes))
        return secret

    def delete(self, name: str) -> None:
        """Remove a principal; its tokens and secrets are worthless from now on."""
        with self._lock:
            principal = self._by_name.pop(name.lower(), None)
            if principal is not None:
                self._by_id.pop(principal.id, None)
                self._secret_hashes.pop(principal.id, None)
                self._principals.delete(principal.id)

    def check_secret(self, client_id: str, secret: str) -> Principal | None:
        """The service principal, when ``secret`` is one of its secrets."""
        principal = self.get(client_id)
        if principal is None:
            return None
        digest = _hash(secret)
        known = self._secret_hashes.get(principal.id, [])
        return principal if any(hmac.compare_digest(digest, one) for one in known) else None

    def _create(
        self,
        name: str,
        display_name: str,
        kind: Literal["user", "service_principal"],
        groups: tuple[str, ...],
        hashes: list[str],
    ) -> Principal:
        with self._lock:
            principal_id = str(7_300_000_000_000_000 + secrets.randbelow(10**14))
            principal = Principal(principal_id, name, display_name, kind, frozenset((*groups, "users")))
            self._write(_document(principal, hashes))
            return principal

    def _write(self, document: dict[str, Any]) -> None:
        self._principals.put(document["id"], document)
        self._remember(document)

    def _remember(self, document: dict[str, Any]) -> None:
        principal = Principal(
            document["id"], document["name"], document["display_name"], document["kind"], frozenset(document["groups"])
        )
        self._by_id[principal.id] = principal
        self._by_name[principal.name.lower()] = principal
        self._secret_hashes[principal.id] = document["secret_hashes"]


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _document(principal: Principal, hashes: list[str]) -> dict[str, Any]:
    return {
        "id": principal.id,
        "name": principal.name,
        "display_name": principal.display_name,
        "kind": principal.kind,
        "groups": sorted(principal.groups),
        "secret_hashes": hashes,
    }
