#!/bin/sh
# Pins pyproject.toml: requirements.txt is what the Apps platform installs, requirements-dev.txt adds the local
# workspace, tests and checks on the same versions. No line names a package index.
set -eu
compile="$1/pip-compile --quiet --strip-extras --no-header --no-emit-index-url --no-emit-trusted-host --no-emit-find-links"
$compile --output-file requirements.txt pyproject.toml
$compile --extra dev --constraint requirements.txt --output-file requirements-dev.txt pyproject.toml
