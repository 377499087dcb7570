"""The workspace as its apps meet it: what every front door and every app's process is told about it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from local_workspace.apps.environment import Identity
from local_workspace.apps.front_door import Allows, Door, everybody
from local_workspace.apps.upstream import Upstream
from local_workspace.faults import Faults
from local_workspace.identity.directory import Directory
from local_workspace.identity.model import Principal
from local_workspace.identity.tokens import Tokens


@dataclass(frozen=True, slots=True)
class Site:
    """A workspace that answers at its address.

    Attributes:
        url: the plain-http address.
        workspace_id: numeric id, as text.
        directory: people and service principals.
        tokens: what mints and checks tokens.
        faults: injected faults.
        start_seconds: how long an app may take until it answers.
    """

    url: str
    workspace_id: str
    directory: Directory
    tokens: Tokens
    faults: Faults
    start_seconds: float

    def identity(self, app_name: str, principal: Principal) -> Identity:
        """Who an app is: its service principal with a secret made for this start."""
        secret = self.directory.add_secret(principal.name)
        return Identity(app_name, principal.name, secret, self.url, self.workspace_id)

    def door(
        self,
        app: Upstream,
        client_id: str,
        scopes: tuple[str, ...],
        state: Callable[[], str],
        *,
        allows: Allows = everybody,
        manages: Allows = everybody,
        log: Callable[[], bytes] | None = None,
    ) -> Door:
        """What the front door of an app serves.

        Args:
            app: the app's process.
            client_id: its OAuth client.
            scopes: the user API scopes that it declares.
            state: what to say while the process does not answer.
            allows: who may use the app.
            manages: who may read its log.
            log: the log; None leaves ``/logz`` to the app.
        """
        return Door(
            app=app,
            workspace=Upstream("127.0.0.1", int(self.url.rpartition(":")[2])),
            workspace_url=self.url,
            workspace_id=self.workspace_id,
            accounts=self.directory,
            tokens=self.tokens,
            faults=self.faults,
            client_id=client_id,
            user_api_scopes=scopes,
            allows=allows,
            app_state=state,
            log=log,
            manages=manages,
        )
