"""Lakebase: a pool that logs in with fresh tokens, one way in for one user's transaction, migrations, repositories.

This package knows Postgres and nothing of Databricks' SDK, of HTTP or of pages: copy it as it is.
"""
