"""Unity Catalog: metadata, rows, aggregates, profiles and exports of governed tables, all as the user.

Start at ``service.py``; ``models.py`` and ``filter_tree.py`` are what it takes and gives.
"""

from services.unity_catalog.service import UnityCatalogService

__all__ = ["UnityCatalogService"]
