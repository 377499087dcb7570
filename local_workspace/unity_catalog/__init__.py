"""Unity Catalog of the local workspace: the metastore, its grants, and its REST API."""
