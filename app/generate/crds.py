"""A parent's model as its CustomResourceDefinition."""

from typing import Any

from app.api.v1alpha1.common import GROUP, VERSION, Column, Definition, Resource
from app.generate.schema import Schema, structural


def crd(model: type[Resource]) -> dict[str, Any]:
    """The CRD of a kind: schema, status and scale subresources, columns, names."""
    definition = model.definition
    kind = definition.kind
    subresources: dict[str, Any] = {"status": {}}
    if definition.scale:
        subresources["scale"] = {
            "specReplicasPath": definition.scale.spec,
            "statusReplicasPath": definition.scale.status,
            "labelSelectorPath": definition.scale.selector,
        }
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{kind.plural}.{GROUP}"},
        "spec": {
            "group": GROUP,
            "scope": "Namespaced" if kind.namespaced else "Cluster",
            "names": {
                "kind": kind.kind,
                "listKind": f"{kind.kind}List",
                "plural": kind.plural,
                "singular": kind.kind.lower(),
                "shortNames": list(definition.short_names),
                "categories": ["prism"],
            },
            "versions": [
                {
                    "name": VERSION,
                    "served": True,
                    "storage": True,
                    "schema": {"openAPIV3Schema": schema(model, definition)},
                    "subresources": subresources,
                    "additionalPrinterColumns": [_column(column) for column in definition.columns],
                }
            ],
        },
    }


def schema(model: type[Resource], definition: Definition) -> Schema:
    """The schema of the whole object, as the API server wants it: metadata bare, status with its default."""
    fields = structural(model)["properties"]
    status = {**fields["status"], "default": {"observedGeneration": -1}}
    out: Schema = {
        "type": "object",
        "description": " ".join((model.__doc__ or "").split()),
        "required": ["spec"],
        "properties": {
            "apiVersion": {"type": "string"},
            "kind": {"type": "string"},
            "metadata": {"type": "object"},
            "spec": fields["spec"],
            "status": status,
        },
    }
    if definition.rules:
        out["x-kubernetes-validations"] = [{"rule": rule, "message": message} for rule, message in definition.rules]
    return out


def _column(column: Column) -> dict[str, Any]:
    out: dict[str, Any] = {"name": column.name, "type": column.type, "jsonPath": column.path}
    if column.wide:
        out["priority"] = 1
    if column.description:
        out["description"] = column.description
    return out
