"""The language tasks: a chat and a completion that echo, and an embedding by hashed bag of words.

No language model runs here and none is imitated: the echo says what it is, and the embedding is a plain, documented
computation. Their shapes are the platform's (the OpenAI-compatible ``llm/v1/*`` tasks).
"""

from __future__ import annotations

import hashlib
import math
import re
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from local_workspace.serving.signature import InputError

TOKEN_SECONDS = 0.015
"""Pause before each token, so that streaming can be seen."""
EMBEDDING_SIZE = 64
MAX_INPUTS = 2048
_TOKEN = re.compile(r"\s*\S+|\s+$")
_ROLES = ("system", "user", "assistant", "tool")


def tokens_of(text: str) -> list[str]:
    """``text`` in tokens: words, each with the white space before it; joined they are ``text`` again."""
    return _TOKEN.findall(text)


@dataclass(frozen=True, slots=True)
class Options:
    """What goes with a chat or completion request, validated."""

    max_tokens: int | None
    temperature: float
    stop: tuple[str, ...]
    stream: bool


def options_of(request: dict[str, Any]) -> Options:
    """The parameters of ``request``.

    Raises:
        InputError: a parameter has the wrong type or is out of range.
    """
    max_tokens = request.get("max_tokens")
    if max_tokens is not None and (type(max_tokens) is not int or max_tokens < 1):
        raise InputError("max_tokens must be a whole number of at least 1.")
    temperature = request.get("temperature", 1.0)
    if isinstance(temperature, bool) or not isinstance(temperature, (int, float)) or not 0 <= temperature <= 2:
        raise InputError("temperature must be a number between 0 and 2.")
    stop = request.get("stop") or ()
    stops = (stop,) if isinstance(stop, str) else tuple(stop)
    if not all(isinstance(word, str) and word for word in stops):
        raise InputError("stop must be a text or a list of texts.")
    if request.get("n", 1) not in (1, None):
        raise InputError("n must be 1: this endpoint gives one choice.")
    stream = request.get("stream", False)
    if not isinstance(stream, bool):
        raise InputError("stream must be true or false.")
    return Options(max_tokens, float(temperature), stops, stream)


def messages_of(payload: Any) -> list[dict[str, str]]:
    """The conversation, each turn with ``role`` and text ``content``.

    Raises:
        InputError: not a list of turns, an unknown role, content that is not text, or no turn of the user.
    """
    if not isinstance(payload, list) or not payload:
        raise InputError("messages must be a list with at least one message.")
    for position, message in enumerate(payload):
        if not isinstance(message, dict) or message.get("role") not in _ROLES:
            raise InputError(f"messages[{position}].role must be one of {', '.join(_ROLES)}.")
        if not isinstance(message.get("content"), str):
            raise InputError(f"messages[{position}].content must be a text.")
    if not any(message["role"] == "user" for message in payload):
        raise InputError("messages must hold at least one message of the user.")
    return payload


@dataclass(frozen=True, slots=True)
class Answer:
    """The tokens of an answer and why it ends (``stop`` or ``length``)."""

    tokens: list[str]
    finish_reason: str
    prompt_tokens: int

    @property
    def usage(self) -> dict[str, int]:
        """The platform's token counts."""
        used = len(self.tokens)
        total = self.prompt_tokens + used
        return {"prompt_tokens": self.prompt_tokens, "completion_tokens": used, "total_tokens": total}

    def spoken(self) -> Iterator[str]:
        """The tokens, each after its pause."""
        for token in self.tokens:
            time.sleep(TOKEN_SECONDS)
            yield token


def _cut(text: str, options: Options, prompt_tokens: int) -> Answer:
    """``text`` up to the first stop sequence and ``max_tokens``."""
    ends = [text.find(word) for word in options.stop if word in text]
    tokens = tokens_of(text[: min(ends)] if ends else text)
    if options.max_tokens is not None and len(tokens) > options.max_tokens:
        return Answer(tokens[: options.max_tokens], "length", prompt_tokens)
    return Answer(tokens, "stop", prompt_tokens)


def echo_chat(request: dict[str, Any]) -> Answer:
    """The echo's answer to the last message of the user; it says that it is an echo.

    Raises:
        InputError: the messages or a parameter are wrong.
    """
    messages = messages_of(request["messages"])
    said = [message["content"] for message in messages if message["role"] == "user"]
    asked = sum(len(tokens_of(message["content"])) for message in messages)
    turn = "" if len(said) == 1 else f" in your message number {len(said)}"
    system = " A system prompt came with it; an echo cannot follow one." if messages[0]["role"] == "system" else ""
    text = f"This is a local echo, not a language model. You wrote{turn}:\n\n{said[-1]}\n\n"
    text += f"That is {len(tokens_of(said[-1]))} words.{system}"
    return _cut(text.rstrip(), options_of(request), asked)


def echo_completion(request: dict[str, Any]) -> Answer:
    """The echo of a prompt.

    Raises:
        InputError: the prompt is not a text, or a parameter is wrong.
    """
    prompt = request["prompt"]
    if not isinstance(prompt, str) or not prompt:
        raise InputError("prompt must be a text.")
    text = f" (a local echo, not a language model) {prompt}"
    return _cut(text, options_of(request), len(tokens_of(prompt)))


def chat_answer(model: str, answer: Answer) -> dict[str, Any]:
    """A whole ``chat.completion``."""
    content = "".join(answer.spoken())
    choice = {"index": 0, "message": {"role": "assistant", "content": content}, "finish_reason": answer.finish_reason}
    return {**_head("chatcmpl", "chat.completion", model), "choices": [choice], "usage": answer.usage}


def chat_chunks(model: str, answer: Answer) -> Iterator[dict[str, Any]]:
    """The ``chat.completion.chunk`` objects of a streamed answer; the last one carries the usage."""
    head = _head("chatcmpl", "chat.completion.chunk", model)
    for position, token in enumerate(answer.spoken()):
        delta = {"role": "assistant", "content": token} if position == 0 else {"content": token}
        yield {**head, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]}
    last = {"index": 0, "delta": {}, "finish_reason": answer.finish_reason}
    yield {**head, "choices": [last], "usage": answer.usage}


def completion_answer(model: str, answer: Answer) -> dict[str, Any]:
    """A whole ``text_completion``."""
    choice = {"index": 0, "text": "".join(answer.spoken()), "finish_reason": answer.finish_reason}
    return {**_head("cmpl", "text_completion", model), "choices": [choice], "usage": answer.usage}


def completion_chunks(model: str, answer: Answer) -> Iterator[dict[str, Any]]:
    """The chunks of a streamed completion; the last one carries the usage."""
    head = _head("cmpl", "text_completion", model)
    for token in answer.spoken():
        yield {**head, "choices": [{"index": 0, "text": token, "finish_reason": None}]}
    last = {"index": 0, "text": "", "finish_reason": answer.finish_reason}
    yield {**head, "choices": [last], "usage": answer.usage}


def _head(prefix: str, kind: str, model: str) -> dict[str, Any]:
    return {"id": f"{prefix}-{uuid.uuid4().hex}", "object": kind, "created": int(time.time()), "model": model}


def embeddings(model: str, payload: Any) -> dict[str, Any]:
    """The platform's embeddings answer for one text or a list of texts.

    Raises:
        InputError: not a text or a list of 1 to ``MAX_INPUTS`` texts.
    """
    texts = [payload] if isinstance(payload, str) else payload
    if not isinstance(texts, list) or not texts or not all(isinstance(text, str) for text in texts):
        raise InputError("input must be a text or a list of texts.")
    if len(texts) > MAX_INPUTS:
        raise InputError(f"input may hold at most {MAX_INPUTS} texts.")
    data = [{"index": at, "object": "embedding", "embedding": hashed(text)} for at, text in enumerate(texts)]
    used = sum(len(tokens_of(text)) for text in texts)
    usage = {"prompt_tokens": used, "total_tokens": used}
    return {"object": "list", "data": data, "model": model, "usage": usage}


def hashed(text: str) -> list[float]:
    """A unit vector of ``EMBEDDING_SIZE`` numbers: each word adds +1 or -1 at a place that its hash chooses.

    The "hashing trick" of Weinberger et al., "Feature Hashing for Large Scale Multitask Learning" (2009). Texts that
    share words are near; meaning is not known to it. A text without words is the zero vector.
    """
    vector = [0.0] * EMBEDDING_SIZE
    for word in re.findall(r"\w+", text.lower()):
        digest = hashlib.blake2b(word.encode(), digest_size=8).digest()
        vector[int.from_bytes(digest[:4], "big") % EMBEDDING_SIZE] += 1.0 if digest[4] & 1 else -1.0
    length = math.sqrt(sum(value * value for value in vector))
    return [value / length for value in vector] if length else vector
