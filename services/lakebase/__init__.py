"""Lakebase for pages and routes: the user's own records, the audit trail and the log of model invocations.

Everything here runs as the app's service principal on the database, confined to the rows of the user who asks.
"""

from services.lakebase.models import APPLICATION_STATE, CONFIGURATION, PREFERENCE, RecordKind
from services.lakebase.service import LakebaseService

__all__ = ["APPLICATION_STATE", "CONFIGURATION", "PREFERENCE", "LakebaseService", "RecordKind"]
