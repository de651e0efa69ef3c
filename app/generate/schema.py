"""A pydantic model as a structural schema that a real API server accepts under strict validation.

Pydantic writes JSON Schema; an API server takes a strict part of OpenAPI v3. What differs is resolved here: references
are inlined, ``anyOf`` with null becomes an absent field, ``const`` an enum, exclusive bounds take OpenAPI 3.0's form.
"""

from typing import Any

from pydantic import BaseModel

DROPPED = {"title", "examples", "deprecated", "readOnly", "writeOnly", "discriminator", "$defs"}
Schema = dict[str, Any]


def structural(model: type[BaseModel]) -> Schema:
    """The structural schema of a model. Raises ValueError for what has no structural form, naming the place."""
    whole = model.model_json_schema(by_alias=True)
    return _convert(whole, whole.get("$defs", {}), (model.__name__,))


def _convert(node: Schema, definitions: Schema, path: tuple[str, ...]) -> Schema:
    node = _resolved(node, definitions, path)
    if node.get("x-kubernetes-int-or-string"):
        kept = ("description", "default", "pattern", "maxLength", "x-kubernetes-int-or-string", "anyOf")
        return {key: value for key, value in _keywords(node, path).items() if key in kept}
    out = _keywords(node, path)
    if "properties" in out:
        out["properties"] = {name: _convert(child, definitions, (*path, name)) for name, child in out["properties"].items()}
    for inner in ("items", "additionalProperties"):
        if inner in out:
            out[inner] = _convert(out[inner], definitions, (*path, inner))
    if "type" not in out:
        raise ValueError(f"{'.'.join(path)}: no structural form of {sorted(node)}")
    return out


def _keywords(node: Schema, path: tuple[str, ...]) -> Schema:
    """The node's own keywords in the spelling of OpenAPI v3.0."""
    out = {key: " ".join(value.split()) if key == "description" else value for key, value in node.items() if key not in DROPPED}
    if "default" in out and not _useful(out["default"], path):
        del out["default"]
    if out.get("additionalProperties") in (True, False):
        del out["additionalProperties"]
    if "const" in out:
        out["enum"] = [out.pop("const")]
    for bound, limit in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        if bound in out:
            out[limit], out[bound] = out[bound], True
    if out.get("x-kubernetes-preserve-unknown-fields"):
        out.setdefault("type", "object")
    return out


def _useful(default: object, path: tuple[str, ...]) -> bool:
    """Whether a default belongs into the stored object: a plain value, outside lists (where it would disturb an apply)."""
    return isinstance(default, str | int | bool) and default != "" and "items" not in path


def _resolved(node: Schema, definitions: Schema, path: tuple[str, ...]) -> Schema:
    """The node with its reference and its ``X | None`` folded in; what stands beside a reference wins."""
    if len(path) > 40:
        raise ValueError(f"{'.'.join(path[:8])}: a model that contains itself has no structural form")
    if "$ref" in node:
        target = definitions[node["$ref"].rpartition("/")[2]]
        node = {**target, **{key: value for key, value in node.items() if key != "$ref"}}
        return _resolved(node, definitions, path)
    options = [option for option in node.get("anyOf", []) if option.get("type") != "null"]
    if len(options) == 1 and len(options) < len(node["anyOf"]):
        rest = {key: value for key, value in node.items() if key != "anyOf"}
        return _resolved({**_resolved(options[0], definitions, path), **rest}, definitions, path)
    if len(node.get("allOf", [])) == 1:
        rest = {key: value for key, value in node.items() if key != "allOf"}
        return _resolved({**node["allOf"][0], **rest}, definitions, path)
    return node
