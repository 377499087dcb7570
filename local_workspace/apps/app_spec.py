"""``app.yaml``: how an app says what to start and with which variables.

Format: https://docs.databricks.com/aws/en/dev-tools/databricks-apps/app-runtime
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

FILE_NAMES = ("app.yaml", "app.yml")


class AppError(RuntimeError):
    """An app cannot be started; ``str()`` says why, for the person who wrote it."""


@dataclass(frozen=True, slots=True)
class Variable:
    """One entry of ``env``: a plain ``value``, or ``value_from``, the key of an attached resource."""

    name: str
    value: str | None = None
    value_from: str | None = None


@dataclass(frozen=True, slots=True)
class AppSpec:
    """What to start.

    Attributes:
        command: program and arguments; no shell is involved.
        env: variables for it, in order.
    """

    command: tuple[str, ...]
    env: tuple[Variable, ...] = ()


def read(folder: Path) -> AppSpec:
    """Read ``app.yaml`` (or ``app.yml``) of ``folder``; without one the first Python file is the app.

    Raises:
        AppError: the file is not valid, or there is nothing to start.
    """
    return _parse(folder, ())


def _parse(folder: Path, command: tuple[str, ...]) -> AppSpec:
    file = next((folder / name for name in FILE_NAMES if (folder / name).is_file()), None)
    if file is None:
        return AppSpec(command or _default_command(folder))
    try:
        document = yaml.safe_load(file.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise AppError(f"{file.name} is not valid YAML: {_where(error)}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise AppError(f"{file.name} cannot be read: {error}") from None
    if document is None:
        document = {}
    if not isinstance(document, dict):
        raise AppError(f"{file.name} must hold a mapping with 'command' and 'env', not a {type(document).__name__}.")
    own = _command(document.get("command"), file.name)
    return AppSpec(command or own or _default_command(folder), _variables(document.get("env"), file.name, "valueFrom"))


def read_for(command: Any, env_vars: Any, folder: Path) -> AppSpec:
    """What a deployment starts: its own command and variables stand in place of those of ``app.yaml``.

    Args:
        command: ``command`` of the deployment request.
        env_vars: its ``env_vars``; ``value_from`` refers to a resource.
        folder: the deployed files.

    Raises:
        AppError: a wrong shape, a broken ``app.yaml``, or nothing to start.
    """
    own_command = _command(command, "The deployment")
    fallback = _parse(folder, own_command)
    own = _variables(env_vars, "The deployment", "value_from")
    return AppSpec(own_command or fallback.command, own or fallback.env)


def _default_command(folder: Path) -> tuple[str, ...]:
    first = min((path.name for path in folder.glob("*.py")), default=None)
    if first is None:
        raise AppError("There is nothing to start: no app.yaml with a command and no Python file.")
    return ("python", first)


def _command(value: Any, source: str) -> tuple[str, ...]:
    if value is None or value == []:
        return ()
    if not isinstance(value, list) or not all(isinstance(part, str) for part in value):
        raise AppError(f"{source}: 'command' must be a list of strings, for example ['python', 'app.py'].")
    return tuple(value)


def _variables(value: Any, source: str, reference: str) -> tuple[Variable, ...]:
    if value is None:
        return ()
    if not isinstance(value, list):
        raise AppError(f"{source}: 'env' must be a list of entries with 'name' and 'value' or '{reference}'.")
    return tuple(_variable(entry, number, source, reference) for number, entry in enumerate(value, 1))


def _variable(entry: Any, number: int, source: str, reference: str) -> Variable:
    if not isinstance(entry, Mapping) or not isinstance(entry.get("name"), str) or not entry["name"]:
        raise AppError(f"{source}: entry {number} of 'env' has no 'name'.")
    name, given = entry["name"], {key for key in ("value", reference) if entry.get(key) is not None}
    if len(given) != 1:
        raise AppError(f"{source}: variable {name} needs exactly one of 'value' and '{reference}'.")
    if reference in given:
        return Variable(name, value_from=str(entry[reference]))
    value = entry["value"]
    if isinstance(value, (dict, list)):
        raise AppError(f"{source}: the value of variable {name} must be text.")
    return Variable(name, value=_text(value))


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _where(error: yaml.YAMLError) -> str:
    problem = getattr(error, "problem", None) or "cannot be parsed"
    mark = getattr(error, "problem_mark", None)
    return f"line {mark.line + 1}, column {mark.column + 1}: {problem}" if mark is not None else str(problem)
