"""What an API server does with an object of our kinds before it stores it: defaults, unknown fields, validation."""

from copy import deepcopy
from functools import cache
from typing import Any

from pydantic import ValidationError

from app.api.v1alpha1.common import API_VERSION, GROUP, Resource
from app.generate.crds import schema
from app.generate.files import kinds

Manifest = dict[str, Any]


class Invalid(Exception):
    """The object is refused; the text names the field."""


@cache
def model_of(kind: str) -> type[Resource] | None:
    """The model of one of our kinds, or None."""
    return next((model for model in kinds() if model.definition.kind.kind == kind), None)


@cache
def _schema(kind: str) -> Manifest:
    model = model_of(kind)
    assert model is not None  # noqa: S101
    return schema(model, model.definition)


def admit(manifest: Manifest) -> Manifest:
    """The object as it is stored. Raises Invalid under the rules of strict field validation; CEL rules are not run."""
    if manifest.get("apiVersion") != API_VERSION:
        if str(manifest.get("apiVersion")).startswith(f"{GROUP}/"):
            raise Invalid(f"no version {manifest['apiVersion']}, but {API_VERSION}")
        return manifest
    model = model_of(str(manifest.get("kind")))
    if model is None:
        raise Invalid(f"no kind {manifest.get('kind')} in {API_VERSION}")
    stored = deepcopy(manifest)
    strange = list(_unknown(stored, _schema(manifest["kind"]), ""))
    if strange:
        raise Invalid(f"{manifest['kind']} {manifest['metadata'].get('name')}: unknown field {', '.join(strange)}")
    try:
        model.model_validate(stored)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise Invalid(f"{manifest['kind']} {manifest['metadata'].get('name')}: {place}: {first['msg']}") from None
    _default(stored, _schema(manifest["kind"]))
    return stored


def _unknown(value: Any, schema: Manifest, place: str) -> list[str]:
    """Paths of fields that the schema does not know."""
    if isinstance(value, list):
        return [path for index, item in enumerate(value) for path in _unknown(item, schema.get("items", {}), f"{place}[{index}]")]
    if not isinstance(value, dict) or place == ".metadata" or schema.get("x-kubernetes-preserve-unknown-fields"):
        return []
    known, rest = schema.get("properties", {}), schema.get("additionalProperties")
    if rest:
        return [path for key, item in value.items() for path in _unknown(item, rest, f"{place}.{key}")]
    found = []
    for key, item in value.items():
        found += _unknown(item, known[key], f"{place}.{key}") if key in known else [f"{place}.{key}".lstrip(".")]
    return found


def _default(value: Any, schema: Manifest) -> None:
    if isinstance(value, list):
        for item in value:
            _default(item, schema.get("items", {}))
    if not isinstance(value, dict):
        return
    for key, child in schema.get("properties", {}).items():
        if key not in value and "default" in child:
            value[key] = deepcopy(child["default"])
        if key in value:
            _default(value[key], child)
