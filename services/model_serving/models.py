"""What the Model Serving service takes and gives: the same models serve the page and the JSON API."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

InputForm = Literal["dataframe_records", "dataframe_split", "instances", "inputs", "messages", "prompt", "input"]
INPUT_FORMS: tuple[InputForm, ...] = (
    "dataframe_records",
    "dataframe_split",
    "instances",
    "inputs",
    "messages",
    "prompt",
    "input",
)
TABULAR_FORMS: tuple[InputForm, ...] = INPUT_FORMS[:4]
Kind = Literal["tabular", "chat", "completions", "embeddings", "unknown"]
FieldType = Literal["number", "integer", "string", "boolean", "object", "array", "unknown"]
DEFAULT_TIMEOUT_SECONDS = 30.0


class ServedEntity(BaseModel):
    """A model version behind an endpoint."""

    name: str
    model_name: str | None = Field(description="Full name in Unity Catalog, or of the foundation model.")
    model_version: str | None
    in_unity_catalog: bool = Field(description="Whether the name is that of a registered model.")
    traffic_percentage: int | None
    deployment: str | None = Field(description="DEPLOYMENT_READY, DEPLOYMENT_CREATING, …")
    deployment_message: str | None
    scale_to_zero: bool
    workload_size: str | None


class Endpoint(BaseModel):
    """A serving endpoint as the user sees it."""

    endpoint_name: str
    endpoint_id: str | None
    state: str = Field(description="READY or NOT_READY: whether it answers.")
    config_update: str = Field(description="NOT_UPDATING, IN_PROGRESS, UPDATE_FAILED or UPDATE_CANCELED.")
    asleep: bool = Field(description="Scaled to zero: the next request waits while it wakes.")
    task: str | None = Field(description="llm/v1/chat and so on; null for a model with a signature.")
    model_name: str | None = Field(description="Unity Catalog full name of what it serves.")
    model_version: str | None
    description: str | None
    creator: str | None
    permission_level: str | None = Field(description="The user's own level, when the workspace tells.")
    created_at: datetime | None
    updated_at: datetime | None
    served_entities: list[ServedEntity]
    tags: dict[str, str | None]
    invocation_url: str

    @property
    def changing(self) -> bool:
        """Whether it is worth asking again soon."""
        return self.state != "READY" or self.config_update == "IN_PROGRESS"


class EndpointList(BaseModel):
    """The endpoints that the user may see."""

    endpoints: list[Endpoint]


class RegisteredModel(BaseModel):
    """A model in Unity Catalog, as far as the user may read it."""

    full_name: str
    comment: str | None
    owner: str | None
    created_at: datetime | None
    updated_at: datetime | None
    catalog_explorer_url: str = Field(description="Its page in the workspace.")


class Access(BaseModel):
    """Who may do what with an endpoint."""

    principal: str
    kind: Literal["user", "group", "service_principal"]
    level: str = Field(description="CAN_VIEW, CAN_QUERY or CAN_MANAGE.")


class SchemaField(BaseModel):
    """One input of a model, as a form shows it."""

    name: str
    type: FieldType
    format: str | None = Field(default=None, description="double, int32, int64, date-time …")
    required: bool = False
    minimum: float | None = None
    maximum: float | None = None
    choices: list[Any] = []
    default: Any = None
    example: Any = None
    help: str | None = None
    nullable: bool = False


class EndpointSchema(BaseModel):
    """What an endpoint wants, from its own OpenAPI document."""

    endpoint_name: str
    kind: Kind
    forms: list[InputForm] = Field(description="Input forms that it describes, the best for a form first.")
    fields: list[SchemaField] = Field(description="Columns of one row for a tabular model.")
    parameters: list[SchemaField] = Field(description="What goes with the input: max_tokens, temperature …")
    output: dict[str, Any] | None = Field(description="JSON Schema of one prediction.")
    examples: dict[str, Any] = Field(description="A whole request body for each input form.")
    described: bool = Field(description="False when the endpoint has no usable document: use the JSON view.")
    reason: str | None = Field(default=None, description="Why it is not described.")


class Invocation(BaseModel):
    """A request: the platform's own body at the top level with exactly one input form, and our time limit."""

    model_config = ConfigDict(extra="forbid", strict=True)

    dataframe_records: list[dict[str, Any]] | None = None
    dataframe_split: dict[str, Any] | None = None
    instances: list[Any] | None = None
    inputs: dict[str, Any] | list[Any] | None = None
    messages: list[dict[str, Any]] | None = None
    prompt: str | list[Any] | None = None
    input: str | list[Any] | None = None

    params: dict[str, Any] | None = None
    max_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    stop: str | list[str] | None = None
    n: int | None = None
    stream: bool | None = None
    stream_options: dict[str, Any] | None = None
    tools: list[dict[str, Any]] | None = None
    tool_choice: str | dict[str, Any] | None = None
    response_format: dict[str, Any] | None = None
    dimensions: int | None = None
    client_request_id: str | None = None
    usage_context: dict[str, str] | None = None
    extra_params: dict[str, Any] | None = None

    timeout_seconds: Annotated[
        float, Field(ge=1, le=300, allow_inf_nan=False, description="An answer or an error comes within it, seconds.")
    ] = DEFAULT_TIMEOUT_SECONDS

    def platform_body(self) -> dict[str, Any]:
        """What is sent on: the fields that were given and are not null, without our own."""
        given = {name: getattr(self, name) for name in type(self).model_fields if name in self.model_fields_set}
        given.pop("timeout_seconds", None)
        return {name: value for name, value in given.items() if value is not None}

    @property
    def forms(self) -> list[InputForm]:
        """The input forms that were given."""
        return [form for form in INPUT_FORMS if getattr(self, form) is not None]


class InvocationResult(BaseModel):
    """The answer to an invocation."""

    request_id: str
    endpoint_name: str
    model_name: str | None
    model_version: str | None
    served_entity: str | None = Field(default=None, description="Which served entity answered.")
    predictions: Any = Field(default=None, description="For models with a signature.")
    response: dict[str, Any] | None = Field(default=None, description="The whole answer of a language task.")
    status: Literal["SUCCESS"] = "SUCCESS"
    execution_time_ms: float = Field(description="From sending the request to having the whole answer.")
    completed_at: datetime
    logged: bool = Field(description="Whether the invocation is written to the user's history.")
    log_error: str | None = Field(default=None, description="Why it is not written.")
    attempts: int = Field(default=1, description="Tries that it took.")
    runs_as: str = Field(description="The user on whose behalf it ran.")


class ScoreProgress(BaseModel):
    """How far a batch scoring is."""

    done: int
    total: int
    predictions: list[Any] = Field(description="Predictions of the rows of this step, in order.")
    execution_time_ms: float
