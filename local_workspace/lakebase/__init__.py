"""Lakebase of the local workspace: a real Postgres behind a TLS gateway that takes OAuth tokens as passwords.

``postgres.py`` runs the server and ``gateway.py`` is the door that the app logs in at. ``cluster.py`` and
``storages.py`` keep databases and roles, ``instances.py`` and ``projects.py`` the objects of the two REST APIs
(Provisioned and Autoscaling) over them, and ``lakebase.py`` is the whole.
"""
