"""The one hierarchy of errors that people and programs meet. ``dashboard/api/errors.py`` turns it into HTTP.

Each carries what a person needs next: a code, a sentence, details without secrets, and when to come back.
"""

from __future__ import annotations

from typing import Any, ClassVar

Details = dict[str, Any]


class LakefrontError(Exception):
    """Base of all errors with an answer of their own.

    Attributes:
        status: HTTP status.
        error_code: stable name for programs.
        message: one sentence for people; shown word for word.
        technical_details: never a token, a header dump or a stack trace.
        retry_after: seconds after which another try makes sense, or None.
    """

    status: ClassVar[int] = 500
    error_code: str = "INTERNAL_ERROR"

    def __init__(
        self,
        message: str,
        *,
        error_code: str | None = None,
        technical_details: Details | None = None,
        retry_after: int | None = None,
    ) -> None:
        """``error_code`` replaces the class's own where one class has several."""
        super().__init__(message)
        self.message = message
        if error_code is not None:
            self.error_code = error_code
        self.technical_details: Details = technical_details or {}
        self.retry_after = retry_after


class InvalidRequest(LakefrontError):
    """The request itself is wrong; the details name the ``field`` and the ``reason``."""

    status = 400
    error_code = "INVALID_REQUEST"

    def __init__(self, field: str, reason: str) -> None:
        """``field`` is a dotted path into the request."""
        super().__init__(f"{field}: {reason}", technical_details={"field": field, "reason": reason})
        self.field = field
        self.reason = reason


class InvalidInput(LakefrontError):
    """The model refused the input; the message is the model's own."""

    status = 400
    error_code = "INVALID_INPUT"


class AuthRequired(LakefrontError):
    """No or invalid credentials."""

    status = 401
    error_code = "AUTH_REQUIRED"

    def __init__(self, required_scope: str, workspace: str, message: str | None = None) -> None:
        """``workspace`` is the workspace's address."""
        super().__init__(
            message or "Sign in is required: the request carries no valid user token.",
            technical_details={"required_scope": required_scope, "workspace": workspace},
        )


class PermissionDenied(LakefrontError):
    """Valid credentials without the permission or the scope."""

    status = 403
    error_code = "PERMISSION_DENIED"

    def __init__(self, message: str, *, required_scope: str, workspace: str, **details: Any) -> None:
        """``details`` are added to the technical details."""
        super().__init__(
            message, technical_details={"required_scope": required_scope, "workspace": workspace, **details}
        )


class ForeignPage(LakefrontError):
    """A page of another site tried to act through this person's browser."""

    status = 403
    error_code = "PERMISSION_DENIED"

    def __init__(self) -> None:
        """The words are always the same."""
        super().__init__("A page of another site may not use this app.")


class CatalogPermissionDenied(LakefrontError):
    """A table that exists and may not be read."""

    status = 403
    error_code = "CATALOG_PERMISSION_DENIED"

    def __init__(self, catalog: str, schema: str, table: str, **details: Any) -> None:
        """``details`` (the missing privilege, for example) are added to the technical details."""
        super().__init__(
            "You don't have access to this table.",
            technical_details={"catalog": catalog, "schema": schema, "table": table, **details},
        )


class NotFound(LakefrontError):
    """A thing that does not exist for this person. ``error_code`` says which kind."""

    status = 404
    error_code = "NOT_FOUND"


class AlreadyExists(LakefrontError):
    """A thing of that key exists."""

    status = 409
    error_code = "ALREADY_EXISTS"


class Cancelled(LakefrontError):
    """The person asked to stop it."""

    status = 499
    error_code = "CANCELLED"


class Unavailable(LakefrontError):
    """A service that the app depends on cannot answer now."""

    status = 503


class ModelUnavailable(Unavailable):
    """EC-001: a model endpoint timed out, could not be reached, or answered 5xx."""

    error_code = "MODEL_UNAVAILABLE"

    def __init__(self, endpoint: str, status: int | None, **details: Any) -> None:
        """``endpoint`` is the invocation URL; ``status`` the upstream status, if there was one."""
        super().__init__(
            "Model service temporarily unavailable. Please try again in a few moments.",
            technical_details={"endpoint": endpoint, "status": status, **details},
            retry_after=30,
        )


class DatabaseUnavailable(Unavailable):
    """EC-002: a Lakebase connection failed."""

    error_code = "DATABASE_UNAVAILABLE"

    def __init__(self, error_type: str, instance_name: str) -> None:
        """``error_type`` is the Postgres code or ``oauth_error``; ``instance_name`` the logical name."""
        super().__init__(
            "Database service temporarily unavailable.",
            technical_details={"error_type": error_type, "instance_name": instance_name},
            retry_after=10,
        )


class WarehouseUnavailable(Unavailable):
    """The SQL warehouse could not be reached or did not start."""

    error_code = "WAREHOUSE_UNAVAILABLE"

    def __init__(self, warehouse_id: str, reason: str, retry_after: int = 15) -> None:
        """``reason`` is one short phrase without secrets."""
        super().__init__(
            "SQL warehouse temporarily unavailable.",
            technical_details={"warehouse_id": warehouse_id, "reason": reason},
            retry_after=retry_after,
        )


class WorkspaceUnavailable(Unavailable):
    """The workspace's REST API could not be reached or answered 5xx."""

    error_code = "WORKSPACE_UNAVAILABLE"

    def __init__(self, workspace: str, reason: str, retry_after: int = 10) -> None:
        """``workspace`` is its address; ``reason`` one short phrase without secrets."""
        super().__init__(
            "The Databricks workspace does not answer.",
            technical_details={"workspace": workspace, "reason": reason},
            retry_after=retry_after,
        )


class InternalError(LakefrontError):
    """Anything unforeseen; the message gives nothing away."""

    def __init__(self) -> None:
        """The log has everything."""
        super().__init__("Something unforeseen happened here. The log has the details under this request's id.")
