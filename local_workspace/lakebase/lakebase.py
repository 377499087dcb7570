"""Lakebase as one part of the local workspace: the server, its door, and who may pass it."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

import jwt

from local_workspace.access import EVERYBODY_USES, Access, Open
from local_workspace.faults import Fault, Faults
from local_workspace.http import ApiError
from local_workspace.identity.directory import DEPLOYER, Directory
from local_workspace.identity.model import Caller, Principal
from local_workspace.identity.tokens import TokenError, Tokens
from local_workspace.lakebase.cluster import MAIN, Cluster, physical_name
from local_workspace.lakebase.gateway import Admission, Gateway, Login, LoginRefused
from local_workspace.lakebase.instances import Instances
from local_workspace.lakebase.keeper import Keeper
from local_workspace.lakebase.postgres import Postgres
from local_workspace.lakebase.projects import Projects
from local_workspace.lakebase.storages import DEFAULT_DATABASE, Storages
from local_workspace.settings import LocalSettings
from local_workspace.store import Store
from local_workspace.tls import Tls

HOST = "127.0.0.1"
_AUDIENCE = "lakebase:"
_DATABASE_SCOPE = "postgres"
DEFAULT_NAME = "lakefront-local"
_KINDS = ("database-instances", "database-projects")
"""Types in the permissions API of what the two products are made of."""


class Lakebase:
    """Instances and projects over one Postgres server behind a token gateway.

    Attributes:
        instances: the Provisioned API's objects.
        projects: the Autoscaling API's objects.
        catalogs: Unity Catalog's catalogs over an instance's databases; kept, not queried.
        default_instance: name of the instance that exists from the start; the project of that name has the same data.
        default_endpoint: full name of that project's endpoint.
    """

    def __init__(
        self,
        store: Store,
        tokens: Tokens,
        directory: Directory,
        faults: Faults,
        settings: LocalSettings,
        tls: Tls,
        access: Access | None = None,
    ) -> None:
        """Builds the parts; nothing is read, written or bound before :meth:`start`.

        Without ``access`` everybody may make a password for every instance.
        """
        self._tokens = tokens
        self._directory = directory
        self._faults = faults
        self._tls = tls
        self._settings = settings
        self._access = access or Open()
        self.postgres = Postgres(settings.state, settings.postgres_version)
        self._keeper = Keeper(self.postgres)
        self._cluster = Cluster(self.postgres)
        self.storages = Storages(store, self._cluster)
        self.instances = Instances(store, self.storages, settings.postgres_version)
        self.projects = Projects(store, self.storages, directory, settings.postgres_version)
        self.catalogs = store.collection("lakebase_catalog")
        self.default_instance = DEFAULT_NAME
        self.default_endpoint = f"projects/{DEFAULT_NAME}/branches/production/endpoints/primary"
        self._gateway: Gateway | None = None

    @property
    def gateway(self) -> Gateway:
        """The running gateway.

        Raises:
            RuntimeError: not started.
        """
        if self._gateway is None:
            raise RuntimeError("Lakebase is not running")
        return self._gateway

    @property
    def port(self) -> int:
        """The port that clients connect to; on the platform it is always 5432."""
        return self.gateway.port

    def start(self) -> None:
        """Starts server and gateway; the first start also makes the default instance.

        Raises:
            PostgresError: the server cannot be set up or started.
        """
        self.postgres.start()
        self._cluster.prepare()
        self._make_default()
        self._gateway = Gateway(lambda: (HOST, self.postgres.port), self._admit, self._tls.server_context())
        self._gateway.start()
        self._faults.action("lakebase.cut_connections", self._gateway.drop_all)
        self._faults.action("lakebase.freeze", self._gateway.freeze)
        self._faults.action("lakebase.thaw", self._gateway.thaw)
        self._faults.action("lakebase.kill_postgres", self.postgres.kill)
        self._faults.action("lakebase.start_postgres", self.postgres.start)
        self._keeper.start()

    def _make_default(self) -> None:
        owner = self._directory.service_principal(DEPLOYER)
        self.storages.create(owner, storage=MAIN)
        self.instances.ensure(DEFAULT_NAME, owner, MAIN)
        self.projects.ensure(DEFAULT_NAME, owner, MAIN)
        for kind in _KINDS:
            self._access.ensure(kind, DEFAULT_NAME, [EVERYBODY_USES])

    def stop(self) -> None:
        """Closes the door, then the server. Idempotent."""
        if self._gateway is not None:
            self._gateway.stop()
            self._gateway = None
        self._keeper.stop()
        self.postgres.stop()

    def mint(self, caller: Caller, target: str, seconds: float | None = None) -> tuple[str, str]:
        """Makes a password for ``target`` (an instance's name or an endpoint's full name).

        Args:
            caller: who will log in with it, as its own role.
            target: must exist.
            seconds: the token's life; the workspace's usual one when None.

        Returns:
            The token and its end as an RFC 3339 time.

        Raises:
            ApiError: 404 when the target does not exist, 403 when the caller has no CAN_USE on it.
        """
        self.storage_of(target)
        kind, object_id = _acl(target)
        if not self._access.has(kind, object_id, caller.principal, "CAN_USE"):
            message = f"{caller.principal.name} does not have CAN USE on {object_id}."
            raise ApiError(403, "PERMISSION_DENIED", message)
        issued = self._tokens.issue(
            caller.principal,
            [_DATABASE_SCOPE],
            audience=_AUDIENCE + target,
            seconds=seconds,
            client_id=caller.client_id,
        )
        return issued.token, datetime.fromtimestamp(issued.expires_at, UTC).isoformat().replace("+00:00", "Z")

    def storage_of(self, target: str) -> str:
        """The storage behind an instance, a branch or an endpoint.

        Raises:
            ApiError: 404 when there is none of that name.
        """
        return self.projects.storage(target) if target.startswith("projects/") else self.instances.storage(target)

    def attach(self, target: str, principal: Principal, database: str = DEFAULT_DATABASE) -> dict[str, str]:
        """Does what attaching a database to an app does: CAN_USE, and a role with CONNECT and CREATE on that database.

        Args:
            target: instance name, or a branch's full name.
            principal: the app's service principal.
            database: Postgres name, or the full name of a project's database.

        Returns:
            The ``PG…`` variables that the platform injects into the app.

        Raises:
            ApiError: 404 when target or database does not exist.
        """
        variables = self.variables(target, principal, database)
        self.storages.grant(self.storage_of(target), principal.name, principal.kind, variables["PGDATABASE"])
        self._access.grant(*_acl(target), principal, "CAN_USE")
        return variables

    def variables(self, target: str, principal: Principal, database: str = DEFAULT_DATABASE) -> dict[str, str]:
        """The ``PG…`` variables of :meth:`attach`, without granting anything.

        Raises:
            ApiError: 404 when target or database does not exist.
        """
        storage = self.storage_of(target)
        name = self.projects.database_name(database) if database.startswith("projects/") else database
        if name not in self.storages.databases(storage):
            raise ApiError(404, "NOT_FOUND", f"Database {name} does not exist in {target}.")
        return {
            "PGHOST": HOST,
            "PGPORT": str(self.port),
            "PGDATABASE": name,
            "PGUSER": principal.name,
            "PGSSLMODE": "require",
            "PGAPPNAME": principal.display_name,
        }

    def forget(self, target: str) -> None:
        """Removes the permissions of an instance or a project that is gone: the next one of its name has its own."""
        self._access.forget(*_acl(target))

    def _admit(self, login: Login) -> Admission:
        """Decides on a login: token, role and database must fit.

        Raises:
            LoginRefused: they do not, or a fault says so.
        """
        self._apply_fault(self._faults.take("lakebase_login", f"{login.user} {login.database}"))
        target = self._check_token(login)
        try:
            storage = self.storage_of(target)
        except ApiError as error:
            raise LoginRefused("28000", error.message) from None
        if self.instances.is_stopped(target):
            raise LoginRefused("57P03", f"the database instance {target} is stopped")
        if login.user not in self.storages.roles(storage):
            raise LoginRefused("28000", f'role "{login.user}" does not exist')
        if login.database not in self.storages.databases(storage):
            raise LoginRefused("3D000", f'database "{login.database}" does not exist')
        try:
            password = self._cluster.password(login.user)
        except OSError as error:
            raise LoginRefused("57P03", f"the database system is not available: {error}") from None
        return Admission(physical_name(storage, login.database), password)

    def _check_token(self, login: Login) -> str:
        """The instance or endpoint that the password was made for."""
        refused = f'password authentication failed for user "{login.user}"'
        try:
            # The audience is read before the signature is checked, only to know what to check it against.
            claims: dict[str, Any] = jwt.decode(login.token, options={"verify_signature": False})
        except jwt.PyJWTError:
            raise LoginRefused("28P01", refused) from None
        audience = str(claims.get("aud", ""))
        try:
            caller = self._tokens.verify(login.token, audience)
        except TokenError as error:
            raise LoginRefused("28P01", f"{refused}: {error}") from None
        if not audience.startswith(_AUDIENCE):
            raise LoginRefused("28P01", f"{refused}: the token is not a database credential")
        if caller.principal.name != login.user:
            raise LoginRefused("28P01", f"{refused}: the token belongs to another identity")
        return audience.removeprefix(_AUDIENCE)

    @staticmethod
    def _apply_fault(fault: Fault | None) -> None:
        if fault is None:
            return
        if fault.delay_seconds:
            time.sleep(fault.delay_seconds)
        if fault.drop:
            raise ConnectionResetError(fault.message)
        if fault.status:
            raise LoginRefused("28P01" if fault.status in (401, 403) else "57P03", fault.message)


def _acl(target: str) -> tuple[str, str]:
    """Type and id in the permissions API of an instance, or of the project of a branch or endpoint."""
    return (_KINDS[1], target.split("/")[1]) if target.startswith("projects/") else (_KINDS[0], target)
