"""The REST routes of Model Serving: endpoints (``/api/2.0/serving-endpoints``) and invocations."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from flask import Blueprint, Response, jsonify, request

from local_workspace.http import ApiError, body
from local_workspace.identity.authentication import authenticated, caller
from local_workspace.serving import invocation
from local_workspace.serving.serving import Serving, Target

MANAGE_SCOPES = ("model-serving", "serving.serving-endpoints")
QUERY_SCOPES = ("model-serving, model-serving-inference", "model-serving", "model-serving-inference", MANAGE_SCOPES[1])
"""The first is the platform's wording of what is missing; the others are the scopes that do."""


def blueprint(serving: Serving) -> Blueprint:
    """The routes of ``serving``."""
    routes = Blueprint("model_serving", __name__)
    _add_management(routes, serving)
    _add_changes(routes, serving)
    _add_invocations(routes, serving)
    return routes


def _may(serving: Serving, name: str, level: str) -> dict[str, Any]:
    """The endpoint's document, when the caller has ``level`` on it."""
    document = serving.endpoints.get(name)
    serving.endpoints.require(document, caller().principal, level)
    return document


def _add_management(routes: Blueprint, serving: Serving) -> None:
    endpoints = serving.endpoints

    @routes.get("/api/2.0/serving-endpoints")
    @authenticated(*MANAGE_SCOPES)
    def list_endpoints() -> Response:
        documents = [endpoints.get(name) for name in endpoints.names()]
        seen = [one for one in documents if endpoints.level(one, caller().principal) is not None]
        return jsonify({"endpoints": [endpoints.describe(one) for one in seen]})

    @routes.post("/api/2.0/serving-endpoints")
    @authenticated(*MANAGE_SCOPES)
    def create_endpoint() -> Response:
        document = endpoints.create(body(), caller().principal)
        return jsonify(endpoints.describe(document, "CAN_MANAGE"))

    @routes.get("/api/2.0/serving-endpoints/<name>")
    @authenticated(*MANAGE_SCOPES)
    def get_endpoint(name: str) -> Response:
        document = _may(serving, name, "CAN_VIEW")
        return jsonify(endpoints.describe(document, endpoints.level(document, caller().principal)))

    @routes.get("/api/2.0/serving-endpoints/<name>/openapi")
    @authenticated(*MANAGE_SCOPES)
    def get_openapi(name: str) -> Response:
        return jsonify(serving.openapi(_may(serving, name, "CAN_VIEW"), request.host_url.rstrip("/")))


def _add_changes(routes: Blueprint, serving: Serving) -> None:
    endpoints = serving.endpoints

    @routes.put("/api/2.0/serving-endpoints/<name>/config")
    @authenticated(*MANAGE_SCOPES)
    def put_config(name: str) -> Response:
        _may(serving, name, "CAN_MANAGE")
        document = endpoints.set_config(name, body(), caller().principal.name)
        return jsonify(endpoints.describe(document, "CAN_MANAGE"))

    @routes.patch("/api/2.0/serving-endpoints/<name>/tags")
    @authenticated(*MANAGE_SCOPES)
    def patch_tags(name: str) -> Response:
        _may(serving, name, "CAN_MANAGE")
        return jsonify({"tags": endpoints.patch_tags(name, body())})

    @routes.put("/api/2.0/serving-endpoints/<name>/ai-gateway")
    @authenticated(*MANAGE_SCOPES)
    def put_gateway(name: str) -> Response:
        _may(serving, name, "CAN_MANAGE")
        return jsonify(endpoints.set_gateway(name, body()))

    @routes.delete("/api/2.0/serving-endpoints/<name>")
    @authenticated(*MANAGE_SCOPES)
    def delete_endpoint(name: str) -> Response:
        _may(serving, name, "CAN_MANAGE")
        endpoints.delete(name)
        return jsonify({})


def _add_invocations(routes: Blueprint, serving: Serving) -> None:
    @routes.post("/serving-endpoints/<name>/invocations")
    @authenticated(*QUERY_SCOPES)
    def invoke(name: str) -> Response:
        return _invoke(serving, name, None)

    @routes.post("/serving-endpoints/<name>/served-models/<served>/invocations")
    @authenticated(*QUERY_SCOPES)
    def invoke_served(name: str, served: str) -> Response:
        return _invoke(serving, name, served)

    @routes.post("/serving-endpoints/chat/completions")
    @routes.post("/serving-endpoints/completions")
    @routes.post("/serving-endpoints/embeddings")
    @authenticated(*QUERY_SCOPES)
    def openai_compatible() -> Response:
        document = invocation.parse(request.get_data())
        name = document.pop("model", None)
        if not isinstance(name, str):
            raise invocation.bad_request("'model' must name a serving endpoint.", by_model=False)
        return _invoke(serving, name, None, document)


def _invoke(serving: Serving, name: str, served: str | None, document: dict[str, Any] | None = None) -> Response:
    endpoint = _may(serving, name, "CAN_QUERY")
    target = serving.target(endpoint, served)
    _check_size(target)
    outcome = serving.answer(target, invocation.parse(request.get_data()) if document is None else document)
    headers = {"served-model-name": target.served_name}
    if outcome.chunks is not None:
        events = _events(serving, outcome.chunks)
        return Response(events, mimetype="text/event-stream", headers={**headers, "Cache-Control": "no-store"})
    text = json.dumps(outcome.document, allow_nan=False)
    return Response(text, mimetype="application/json", headers=headers)


def _check_size(target: Target) -> None:
    length = request.content_length
    if length is None:
        raise ApiError(411, "BAD_REQUEST", "Content-Length is required.")
    if length > target.entity.limit_bytes:
        raise invocation.too_large(target.entity.limit_bytes)


def _events(serving: Serving, chunks: Iterator[dict[str, Any]]) -> Iterator[bytes]:
    """Server-sent events; closing the connection closes this generator, and with it the model's."""
    with serving.streaming():
        for chunk in chunks:
            yield f"data: {json.dumps(chunk)}\n\n".encode()
        yield b"data: [DONE]\n\n"
