"""What the models of all kinds share: the base model, what a CRD says besides its fields, metadata, conditions."""

import json
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints
from pydantic.alias_generators import to_camel

from app.api.kinds import Kind

GROUP, VERSION = "prism.io", "v1alpha1"
MOST_LETTERS = 64 * 1024
API_VERSION = f"{GROUP}/{VERSION}"


def storable(value: Any) -> Any:
    """A free value with what JSON writers here can write: an integer beyond 64 bits, which the API server shows for a large
    float, is that float."""
    if isinstance(value, dict):
        return {key: storable(item) for key, item in value.items()}
    if isinstance(value, list):
        return [storable(item) for item in value]
    return float(value) if isinstance(value, int) and not -(2**63) <= value < 2**63 else value


def bounded(value: dict[str, Any]) -> dict[str, Any]:
    """Refuses a map that would not fit into the objects that are made of it."""
    if len(json.dumps(value)) > MOST_LETTERS:
        raise ValueError(f"must be at most {MOST_LETTERS // 1024} KiB long")
    return value


OpenMap = Annotated[
    dict[str, Any],
    AfterValidator(storable),
    AfterValidator(bounded),
    Field(json_schema_extra={"x-kubernetes-preserve-unknown-fields": True}),
]
Port = Annotated[int, Field(ge=1, le=65535)]
ObjectName = Annotated[str, StringConstraints(min_length=1, max_length=253, pattern=r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$")]


class Model(BaseModel):
    model_config = ConfigDict(
        frozen=True, populate_by_name=True, alias_generator=to_camel, use_attribute_docstrings=True, extra="ignore"
    )


def rules(*pairs: tuple[str, str]) -> dict[str, Any]:
    """CEL rules as ``json_schema_extra``: each a rule over ``self`` and the message that its breach shows."""
    return {"x-kubernetes-validations": [{"rule": rule, "message": message} for rule, message in pairs]}


def list_map(*keys: str) -> dict[str, Any]:
    """A list whose items are told apart by these fields, as ``json_schema_extra``."""
    return {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": list(keys)}


@dataclass(frozen=True, slots=True)
class Column:
    """A column of ``kubectl get``; ``wide`` shows it with ``-o wide`` only."""

    name: str
    path: str
    type: str = "string"
    wide: bool = False
    description: str = ""


@dataclass(frozen=True, slots=True)
class Scale:
    """The paths of the scale subresource."""

    spec: str = ".spec.replicas"
    status: str = ".status.replicas"
    selector: str = ".status.selector"


@dataclass(frozen=True, slots=True)
class Definition:
    """What a CRD says of its kind besides the fields of the models."""

    kind: Kind
    short_names: tuple[str, ...]
    columns: tuple[Column, ...]
    scale: Scale | None = None
    rules: tuple[tuple[str, str], ...] = ()


class OwnerReference(Model):
    uid: str = ""
    controller: bool = False


class Metadata(Model):
    """The part of a parent's metadata that hooks read."""

    name: str
    namespace: str = ""
    uid: str = ""
    generation: int = 0
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    deletion_timestamp: str = ""


class Condition(Model):
    """One condition, as in meta/v1."""

    type: Annotated[str, StringConstraints(max_length=316)]
    """What it is about, in CamelCase."""
    status: Annotated[str, Field(json_schema_extra={"enum": ["True", "False", "Unknown"]})]
    """True, False or Unknown."""
    reason: Annotated[str, StringConstraints(max_length=1024)] = ""
    """Why, as one CamelCase word for machines."""
    message: Annotated[str, StringConstraints(max_length=32768)] = ""
    """Why, in a sentence for people."""
    last_transition_time: Annotated[str, Field(json_schema_extra={"format": "date-time"})] = ""
    """When status last changed."""
    observed_generation: int | None = None
    """The generation of the object that this condition speaks of."""


Conditions = Annotated[tuple[Condition, ...], Field(json_schema_extra=list_map("type"))]


class Status(Model):
    """What every status has."""

    observed_generation: int | None = None
    """The generation of the spec that this status speaks of; -1 until the operator has seen the object."""
    phase: str | None = None
    """One word for people; machines read the conditions."""
    conditions: Conditions = ()
    """Ready is always there; Reconciling while work goes on; Stalled when waiting cannot help."""


class Resource(Model):
    """A parent. Subclasses set ``definition``, ``spec`` and ``status``."""

    definition: ClassVar[Definition]
    api_version: str
    kind: str
    metadata: Metadata
