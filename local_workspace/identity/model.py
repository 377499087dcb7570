"""The people and programs of the local workspace, as plain values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

ALL_SCOPES = "all-apis"
"""The scope that stands for every API; a service principal's client-credentials token carries it."""

ADMIN_GROUP = "admins"


@dataclass(frozen=True, slots=True)
class Principal:
    """A person or a service principal.

    Attributes:
        id: numeric SCIM id, as text.
        name: what grants, ``current_user()`` and Postgres roles call it: a person's e-mail address, a service
            principal's client id (a UUID).
        display_name: the name that people read.
        kind: ``user`` or ``service_principal``.
        groups: names of the groups it belongs to.
    """

    id: str
    name: str
    display_name: str
    kind: Literal["user", "service_principal"]
    groups: frozenset[str] = frozenset()

    @property
    def is_admin(self) -> bool:
        """Whether it is a workspace and metastore admin."""
        return ADMIN_GROUP in self.groups


@dataclass(frozen=True, slots=True)
class Caller:
    """The authenticated bearer of one request.

    Attributes:
        principal: who it is.
        scopes: the OAuth scopes of its token.
        expires_at: end of the token's life, seconds since the epoch.
        client_id: the OAuth client for whom the token was issued (an app's client id for a forwarded user token).
    """

    principal: Principal
    scopes: frozenset[str]
    expires_at: float
    client_id: str = ""

    def has_scope(self, *wanted: str) -> bool:
        """Whether the token carries one of ``wanted`` (or every scope)."""
        return ALL_SCOPES in self.scopes or any(scope in self.scopes for scope in wanted)
