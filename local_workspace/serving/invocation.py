"""One invocation: reading the body, finding its input form, running the model.

Bodies, limits and answers follow "Query serving endpoints" in the Databricks documentation.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NoReturn

from local_workspace.http import ApiError
from local_workspace.serving import language
from local_workspace.serving.entities import MEGABYTE, Entity, TabularModel
from local_workspace.serving.signature import TABULAR_FORMS, InputError

FORMS = (*TABULAR_FORMS, "messages", "prompt", "input")
_FORM_OF_TASK = {"llm/v1/chat": "messages", "llm/v1/completions": "prompt", "llm/v1/embeddings": "input"}
_INCOMPATIBLE = (
    "Encountered an unexpected error while evaluating the model. "
    "Verify that the input is compatible with the model for inference."
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """A whole answer, or the chunks of a streamed one."""

    document: dict[str, Any] | None = None
    chunks: Iterator[dict[str, Any]] | None = None


def bad_request(reason: str, *, by_model: bool = True) -> ApiError:
    """The platform's 400; ``by_model`` puts its sentence about the model before the reason."""
    return ApiError(400, "BAD_REQUEST", f"{_INCOMPATIBLE} Error '{reason}'" if by_model else reason)


def too_large(limit_bytes: int) -> ApiError:
    """The refusal of a body over the limit of its kind of endpoint."""
    size = limit_bytes // MEGABYTE
    return ApiError(413, "MAX_REQUEST_SIZE_EXCEEDED", f"Request size exceeds the limit of {size} MB for this endpoint.")


def parse(data: bytes) -> dict[str, Any]:
    """The JSON object of a body. NaN and infinities are no JSON and are refused.

    Raises:
        ApiError: 400 when it is not a JSON object.
    """
    try:
        document = json.loads(data, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise bad_request(f"Failed to parse the request body as JSON: {error}", by_model=False) from None
    if not isinstance(document, dict):
        raise bad_request("The request body must be a JSON object.", by_model=False)
    return document


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not valid JSON; send null")


def answer(entity: Entity, model: TabularModel | None, endpoint: str, request: dict[str, Any]) -> Outcome:
    """Run ``request`` on ``entity``.

    Raises:
        ApiError: 400 when there is not exactly one input form, or it does not fit.
    """
    forms = [form for form in FORMS if form in request]
    if len(forms) != 1:
        found = f"; got {', '.join(forms)}" if forms else ""
        message = f"Invalid input. The request must have exactly one of the input fields {', '.join(FORMS)}{found}."
        raise bad_request(message, by_model=False)
    expected = TABULAR_FORMS if not entity.task else (_FORM_OF_TASK[entity.task],)
    if forms[0] not in expected:
        wanted = " or ".join(expected)
        raise bad_request(f"Invalid input. This endpoint takes {wanted}, not {forms[0]}.", by_model=False)
    try:
        return _run(entity, model, endpoint, forms[0], request)
    except InputError as error:
        raise bad_request(str(error)) from None


def _run(entity: Entity, model: TabularModel | None, endpoint: str, form: str, request: dict[str, Any]) -> Outcome:
    if model is not None:
        if request.get("params"):
            raise InputError("This model takes no params.")
        columns, _ = model.signature.columns(form, request[form])
        return Outcome(document={"predictions": model.predict(columns)})
    if entity.task == "llm/v1/embeddings":
        return Outcome(document=language.embeddings(endpoint, request[form]))
    chat = entity.task == "llm/v1/chat"
    said = language.echo_chat(request) if chat else language.echo_completion(request)
    if request.get("stream"):
        chunks = language.chat_chunks if chat else language.completion_chunks
        return Outcome(chunks=chunks(endpoint, said))
    whole = language.chat_answer if chat else language.completion_answer
    return Outcome(document=whole(endpoint, said))
