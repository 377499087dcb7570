"""What the metastore refuses, with the platform's sentences; REST API and SQL engine give them their own form."""

from __future__ import annotations

from local_workspace.unity_catalog.names import LABELS, NOUNS, spaced


class UnityCatalogError(Exception):
    """A request that the metastore does not carry out.

    Attributes:
        status: the HTTP status of the REST API's answer.
        error_code: the REST API's ``error_code``.
        message: the sentence that people read; it is also ``str()``.
    """

    status = 400
    error_code = "INVALID_PARAMETER_VALUE"

    def __init__(self, message: str) -> None:
        """Keep the sentence."""
        super().__init__(message)
        self.message = message


class InvalidRequest(UnityCatalogError):
    """A name, a value or a combination of them that cannot be."""


class PermissionDenied(UnityCatalogError):
    """The acting principal lacks a privilege."""

    status = 403
    error_code = "PERMISSION_DENIED"

    @classmethod
    def lacking(cls, privilege: str, securable_type: str, full_name: str) -> PermissionDenied:
        """The platform's sentence, as in ``User does not have USE SCHEMA on Schema 'c.s'.``."""
        return cls(f"User does not have {spaced(privilege)} on {LABELS[securable_type]} '{full_name}'.")


class NotFound(UnityCatalogError):
    """There is no such object.

    Attributes:
        securable_type: the kind of object.
        full_name: its name as it was looked up.
    """

    status = 404

    def __init__(self, securable_type: str, full_name: str) -> None:
        """Build the sentence and the error code of this kind of object."""
        super().__init__(f"{NOUNS[securable_type]} '{full_name}' does not exist.")
        self.securable_type = securable_type
        self.full_name = full_name
        self.error_code = f"{securable_type.upper()}_DOES_NOT_EXIST"


class PrincipalNotFound(UnityCatalogError):
    """A grant or an owner names somebody who does not exist."""

    status = 404
    error_code = "PRINCIPAL_DOES_NOT_EXIST"

    def __init__(self, name: str) -> None:
        """Build the sentence."""
        super().__init__(f"Could not find principal with name {name}.")
        self.name = name


class AlreadyExists(UnityCatalogError):
    """An object of that name is there already (tables and views share one name space)."""

    status = 409

    def __init__(self, securable_type: str, full_name: str) -> None:
        """Build the sentence and the error code of this kind of object."""
        super().__init__(f"{NOUNS[securable_type]} '{full_name}' already exists.")
        self.securable_type = securable_type
        self.full_name = full_name
        self.error_code = f"{securable_type.upper()}_ALREADY_EXISTS"


class NotEmpty(UnityCatalogError):
    """A catalog or schema still holds objects and the caller did not ask to drop them too."""

    error_code = "INVALID_STATE"

    def __init__(self, securable_type: str, full_name: str) -> None:
        """Build the sentence."""
        super().__init__(
            f"Cannot delete {NOUNS[securable_type].lower()} '{full_name}' because it is not empty; "
            "use force (CASCADE in SQL) to delete it with its contents."
        )
        self.securable_type = securable_type
        self.full_name = full_name
