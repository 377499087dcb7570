"""The local workspace: a small Databricks workspace on loopback that the official clients cannot tell from a real one.

It is a program of its own (``python -m local_workspace``), a stand-in for the cloud on a laptop, in tests and in CI.
The application never imports it and it never imports the application.
"""
