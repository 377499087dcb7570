"""Databricks SQL on DuckDB: parse, check, govern, rewrite, run."""
