"""Bodies: checked and written before anything is sent, read without losing a digit.

The standard library's JSON, not a faster one: it keeps integers of any size exact and a float's shortest form, and can
refuse NaN, which is no JSON.
"""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn

from services.errors import InvalidRequest
from services.model_serving.models import INPUT_FORMS, TABULAR_FORMS, InputForm, Invocation

MEGABYTE = 1024 * 1024
CUSTOM_MODEL_LIMIT = 16 * MEGABYTE
LANGUAGE_LIMIT = 4 * MEGABYTE
"""Databricks' payload limits: custom models, and foundation models, external models and agents."""
PREDICTION_NAMES = ("predictions", "outputs")
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")
_EXPONENT = re.compile(rb"\d[eE]\+?\d{3}")


def form_of(invocation: Invocation) -> InputForm:
    """The one input form of a request.

    Raises:
        InvalidRequest: none, or more than one.
    """
    forms = invocation.forms
    if len(forms) != 1:
        found = f"got {', '.join(forms)}" if forms else "got none"
        raise InvalidRequest("body", f"exactly one of {', '.join(INPUT_FORMS)} expected; {found}")
    return forms[0]


def encode(invocation: Invocation, form: InputForm, *, stream: bool) -> bytes:
    """The platform's body.

    Args:
        invocation: the request.
        form: its input form.
        stream: whether server-sent events are asked for.

    Raises:
        InvalidRequest: NaN or infinity in it, not JSON, or larger than the platform takes.
    """
    document = invocation.platform_body()
    document.pop("stream", None)
    if stream:
        document["stream"] = True
    try:
        body = json.dumps(document, allow_nan=False, separators=(",", ":")).encode()
    except ValueError as error:
        raise InvalidRequest(form, "NaN and infinity are not JSON; send null for a missing value") from error
    except TypeError as error:
        raise InvalidRequest(form, str(error)) from error
    limit = CUSTOM_MODEL_LIMIT if form in TABULAR_FORMS else LANGUAGE_LIMIT
    if len(body) > limit:
        size, most = len(body) / MEGABYTE, limit // MEGABYTE
        raise InvalidRequest(form, f"{size:.1f} MB, and the platform takes at most {most} MB in one request")
    return body


def decode(data: bytes) -> Any:
    """An answer's JSON. Half of a surrogate pair, which no UTF-8 can carry on, becomes a question mark.

    Raises:
        ValueError: not JSON, with NaN, infinity or a number beyond DOUBLE in it, or nested beyond reading.
    """
    try:
        document = json.loads(data, parse_constant=_refuse)
        if _EXPONENT.search(data):  # a number beyond DOUBLE was read as infinity
            json.dumps(document, allow_nan=False)
        if _SURROGATE.search(data):
            text = json.dumps(document, ensure_ascii=False).encode("utf-8", "replace")
            document = json.loads(text)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    return document


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def predictions_of(document: Any) -> tuple[Any, dict[str, Any] | None]:
    """What of an answer is ``predictions`` and what is the whole ``response`` of a language task."""
    if isinstance(document, dict):
        for name in PREDICTION_NAMES:
            if name in document:
                return document[name], None
        return None, document
    return document, None
