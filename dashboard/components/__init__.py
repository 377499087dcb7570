"""Pieces used by two pages or more. They know how things look and speak, and nothing about where data comes from."""
