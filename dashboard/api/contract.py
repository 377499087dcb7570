"""The API's contract: views typed with pydantic, described by OpenAPI 3.1, registered on Flask.

One decorator over pydantic's own JSON schema. It replaces a framework because the paths, the one error body and a
strictly valid 3.1 document are the contract here, and Dash's catch-all route wants a say in what unknown paths answer.
"""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from flask import Flask, Response, jsonify, request
from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.json_schema import models_json_schema

from services.errors import InvalidRequest
from services.unity_catalog.filter_tree import UNION_TAG

View = TypeVar("View", bound=Callable[..., Any])

_PATH_PARAMETER = re.compile(r"{(\w+)}")
_ENDPOINT = "api."
_WHOLE_NUMBER = re.compile(r"[+-]?[0-9]{1,20}")
_REF = "#/components/schemas/{model}"


class Model(BaseModel):
    """Base of request bodies and queries: unknown fields are refused."""

    model_config = ConfigDict(extra="forbid")


class ErrorBody(BaseModel):
    """The body of every error."""

    error_code: str
    message: str
    technical_details: dict[str, Any]
    retry_after: int | None = None


@dataclass(frozen=True, slots=True)
class Operation:
    """One described route."""

    method: str
    path: str
    summary: str
    description: str
    tag: str
    operation_id: str
    query: type[BaseModel] | None
    body: type[BaseModel] | None
    response: type[BaseModel] | None
    status: int
    media_type: str
    errors: tuple[int, ...]
    signed_in: bool


class Api:
    """Registers views on a Flask app and describes them.

    A view gets path parameters by name, ``query`` and ``body`` as validated models where declared, and returns a model,
    None (204), a Flask response, or ``(model, headers)``.
    """

    def __init__(
        self, app: Flask, *, title: str, version: str, description: str, sign_in: Callable[[], object]
    ) -> None:
        """Nothing is registered yet. ``sign_in`` raises when nobody is signed in; it is asked before anything else."""
        self._app = app
        self._sign_in = sign_in
        self._info = {"title": title, "version": version, "description": description}
        self._operations: list[Operation] = []

    def get(self, path: str, **options: Any) -> Callable[[View], View]:
        """Register a view for GET; see ``route``."""
        return self.route("GET", path, **options)

    def post(self, path: str, **options: Any) -> Callable[[View], View]:
        """Register a view for POST; see ``route``."""
        return self.route("POST", path, **options)

    def put(self, path: str, **options: Any) -> Callable[[View], View]:
        """Register a view for PUT; see ``route``."""
        return self.route("PUT", path, **options)

    def delete(self, path: str, **options: Any) -> Callable[[View], View]:
        """Register a view for DELETE; see ``route``."""
        return self.route("DELETE", path, **options)

    def route(
        self,
        method: str,
        path: str,
        *,
        tag: str,
        summary: str,
        query: type[BaseModel] | None = None,
        body: type[BaseModel] | None = None,
        response: type[BaseModel] | None = None,
        status: int = 200,
        media_type: str = "application/json",
        errors: tuple[int, ...] = (400, 401, 403, 404, 500, 503),
        signed_in: bool = True,
    ) -> Callable[[View], View]:
        """Register a view.

        ``path`` has its parameters in braces, as in OpenAPI. ``errors`` are the statuses that may be answered with an
        error body. ``signed_in`` says whether it is for signed-in people only: then nobody else learns whether the
        rest of their request was right, and every log line names the person.
        """

        def decorate(view: View) -> View:
            operation = Operation(
                method,
                path,
                summary,
                inspect.cleandoc(view.__doc__ or summary),
                tag,
                view.__name__,
                query,
                body,
                response,
                status,
                media_type,
                errors,
                signed_in,
            )
            self._operations.append(operation)
            self._app.add_url_rule(
                _PATH_PARAMETER.sub(r"<\1>", path),
                _ENDPOINT + view.__name__,
                _serve(operation, view, self._sign_in),
                methods=[method],
                provide_automatic_options=False,
            )
            return view

        return decorate

    def serves(self, endpoint: str | None) -> bool:
        """Whether a Flask endpoint is a described route."""
        return endpoint is not None and endpoint.startswith(_ENDPOINT)

    def methods_of(self, path: str) -> list[str]:
        """The methods that some described route takes at ``path``, to tell 405 from 404."""
        return sorted(
            {
                operation.method
                for operation in self._operations
                if re.fullmatch(_PATH_PARAMETER.sub("[^/]+", operation.path), path)
            }
        )

    def document(self) -> dict[str, Any]:
        """The OpenAPI 3.1 document of everything registered."""
        modes: dict[type[BaseModel], Literal["validation", "serialization"]] = {ErrorBody: "serialization"}
        for operation in self._operations:
            for model in (operation.query, operation.body):
                if model is not None:
                    modes[model] = "validation"
            if operation.response is not None:
                modes[operation.response] = "serialization"
        refs, schemas = models_json_schema(list(modes.items()), ref_template=_REF)
        reference: dict[Any, dict[str, Any]] = {model: schema for (model, _mode), schema in refs.items()}
        components = schemas.get("$defs", {})
        paths: dict[str, dict[str, Any]] = {}
        for operation in self._operations:
            described = _describe(operation, reference, components)
            paths.setdefault(operation.path, {})[operation.method.lower()] = described
        tags = sorted({operation.tag for operation in self._operations})
        return {
            "openapi": "3.1.0",
            "info": self._info,
            "servers": [{"url": "/"}],
            "tags": [{"name": tag} for tag in tags],
            "paths": paths,
            "components": {
                "schemas": components,
                "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
            },
            "security": [{"bearer": []}],
        }


def _serve(operation: Operation, view: Callable[..., Any], sign_in: Callable[[], object]) -> Callable[..., Response]:
    @functools.wraps(view)
    def serve(**parameters: Any) -> Response:
        if operation.signed_in:
            sign_in()
        if operation.query is not None:
            parameters["query"] = read_query(operation.query)
        if operation.body is not None:
            parameters["body"] = read_body(operation.body)
        answer = view(**parameters)
        headers: dict[str, str] = {}
        if isinstance(answer, tuple):
            answer, headers = answer
        if isinstance(answer, Response):
            return answer
        if answer is None:
            return Response(status=204, headers=headers)
        text = answer.model_dump_json()
        return Response(text, status=operation.status, headers=headers, mimetype="application/json")

    return serve


def read_query(model: type[BaseModel]) -> BaseModel:
    """The request's query as ``model``; a repeated parameter is a list where the model wants one.

    Raises:
        InvalidRequest: with the first wrong field.
    """
    values: dict[str, Any] = {}
    for name, given in request.args.lists():
        field = model.model_fields.get(name)
        many = field is not None and str(field.annotation).startswith(("list", "tuple"))
        if not many and len(given) > 1:
            raise InvalidRequest(name, "given more than once")
        if any("\0" in one for one in given):
            raise InvalidRequest(name, "contains a NUL character")
        if field is not None and field.annotation is int and not _WHOLE_NUMBER.fullmatch(given[0]):
            raise InvalidRequest(name, "a whole number expected")
        values[name] = given if many else given[0]
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise invalid(error) from None


def read_body(model: type[BaseModel]) -> BaseModel:
    """The request's JSON body as ``model``, in pydantic's JSON mode; no body at all says what ``{}`` says.

    Raises:
        InvalidRequest: not JSON, not UTF-8, or with the first wrong field.
    """
    try:
        return model.model_validate_json(request.get_data() or b"{}")
    except ValidationError as error:
        raise invalid(error) from None


def invalid(error: ValidationError) -> InvalidRequest:
    """The first problem of a pydantic error as an ``InvalidRequest``; the input itself is not echoed."""
    problem = error.errors(include_url=False, include_input=False)[0]
    return InvalidRequest(_place(problem["loc"]) or "body", problem["msg"].removeprefix("Value error, "))


def _place(parts: tuple[int | str, ...]) -> str:
    """Where a problem lies, as a caller would write it: ``filter.and[0].value``, ``sort[1].column``."""
    written = ""
    for part in parts:
        if isinstance(part, int):
            written += f"[{part}]"
        elif not part.startswith(("function-", UNION_TAG)):
            written += f".{part}" if written else part
    return written


def _describe(operation: Operation, reference: dict[Any, dict[str, Any]], components: dict[str, Any]) -> dict[str, Any]:
    described: dict[str, Any] = {
        "tags": [operation.tag],
        "operationId": operation.operation_id,
        "summary": operation.summary,
        "description": operation.description,
        "parameters": _parameters(operation, reference, components),
        "responses": _responses(operation, reference),
    }
    if not operation.signed_in:
        described["security"] = []
    if operation.body is not None:
        schema = reference[operation.body]
        described["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
    return described


def _parameters(
    operation: Operation, reference: dict[Any, dict[str, Any]], components: dict[str, Any]
) -> list[dict[str, Any]]:
    parameters: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
        for name in _PATH_PARAMETER.findall(operation.path)
    ]
    if operation.query is not None:
        schema = components[reference[operation.query]["$ref"].rsplit("/", 1)[1]]
        required = set(schema.get("required", []))
        for name, one in schema.get("properties", {}).items():
            described = {"name": name, "in": "query", "required": name in required, "schema": one}
            if "description" in one:
                described["description"] = one["description"]
            parameters.append(described)
    return parameters


def _responses(operation: Operation, reference: dict[Any, dict[str, Any]]) -> dict[str, Any]:
    done: dict[str, Any] = {"description": "Done"}
    if operation.response is not None:
        done["content"] = {operation.media_type: {"schema": reference[operation.response]}}
    elif operation.media_type != "application/json":
        done["content"] = {operation.media_type: {"schema": {"type": "string"}}}
    responses: dict[str, Any] = {str(operation.status): done}
    for status in operation.errors:
        responses[str(status)] = {
            "description": "Error",
            "content": {"application/json": {"schema": reference[ErrorBody]}},
        }
    return responses


def serve_document(app: Flask, api: Api) -> None:
    """Answer ``/openapi.json`` with the document, made once at the first request."""

    @functools.cache
    def document() -> dict[str, Any]:
        return api.document()

    app.add_url_rule("/openapi.json", "openapi_json", lambda: jsonify(document()))
