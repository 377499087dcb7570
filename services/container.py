"""The services of one running app, built from the settings without any I/O."""

from __future__ import annotations

from dataclasses import dataclass

from services.identity import IdentityService
from services.lakebase import LakebaseService
from services.model_serving import ModelServingService
from services.settings import Settings
from services.status import StatusService
from services.unity_catalog import UnityCatalogService
from services.workspace_client import ClientFactory


@dataclass(frozen=True, slots=True)
class Services:
    """Everything that pages and routes call."""

    settings: Settings
    clients: ClientFactory
    identity: IdentityService
    unity_catalog: UnityCatalogService
    lakebase: LakebaseService
    model_serving: ModelServingService
    status: StatusService

    def start(self) -> None:
        """Open pools and warm up in the background; never fails and never waits for a service that is down.

        Call it in the process that serves: connections do not survive a fork.
        """
        self.lakebase.start()
        self.status.start()

    def close(self) -> None:
        """Close pools and sessions. Idempotent."""
        self.status.close()
        self.unity_catalog.close()
        self.model_serving.close()
        self.lakebase.close()


def build(settings: Settings) -> Services:
    """Wire the services of ``settings``. No I/O."""
    clients = ClientFactory(settings)
    lakebase = LakebaseService(settings, clients)
    unity_catalog = UnityCatalogService(settings, clients)
    model_serving = ModelServingService(settings, clients, lakebase)
    return Services(
        settings=settings,
        clients=clients,
        identity=IdentityService(settings, clients),
        unity_catalog=unity_catalog,
        lakebase=lakebase,
        model_serving=model_serving,
        status=StatusService(settings, clients, unity_catalog, lakebase, model_serving),
    )
