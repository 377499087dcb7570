"""Model Serving: list endpoints, learn what each wants, invoke them as the user, keep the history."""

from services.model_serving.errors import RateLimited
from services.model_serving.models import (
    Access,
    Endpoint,
    EndpointList,
    EndpointSchema,
    Invocation,
    InvocationResult,
    RegisteredModel,
    SchemaField,
    ScoreProgress,
    ServedEntity,
)
from services.model_serving.payload import CUSTOM_MODEL_LIMIT, LANGUAGE_LIMIT
from services.model_serving.service import ModelServingService
from services.model_serving.streaming import ChatStream

__all__ = [
    "CUSTOM_MODEL_LIMIT",
    "LANGUAGE_LIMIT",
    "Access",
    "ChatStream",
    "Endpoint",
    "EndpointList",
    "EndpointSchema",
    "Invocation",
    "InvocationResult",
    "ModelServingService",
    "RateLimited",
    "RegisteredModel",
    "SchemaField",
    "ScoreProgress",
    "ServedEntity",
]
