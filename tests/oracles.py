"""Independent judges of a child: the official client's models, and the schemas of the real API server."""

from typing import Any

import kubernetes.client
import kubernetes_validate
from jsonschema import Draft202012Validator

from app.api.v1alpha1.common import API_VERSION
from app.engine.admission import model_of
from app.generate.crds import schema

MODELS = {
    "Deployment": "V1Deployment",
    "StatefulSet": "V1StatefulSet",
    "PodDisruptionBudget": "V1PodDisruptionBudget",
    "Service": "V1Service",
    "Secret": "V1Secret",
    "HorizontalPodAutoscaler": "V2HorizontalPodAutoscaler",
}


def judge(child: dict[str, Any]) -> None:
    """Raises where a child has a field or a value that Kubernetes, or our own CRD, does not know."""
    model = model_of(child["kind"]) if child["apiVersion"] == API_VERSION else None
    if model is not None:
        of_spec = schema(model, model.definition)["properties"]["spec"]
        Draft202012Validator(closed(of_spec)).validate(child["spec"])
        return
    typed = getattr(kubernetes.client, MODELS[child["kind"]])
    typed.model_validate(
        {key: value for key, value in child.items() if key != "data"} | ({"data": child["data"]} if "data" in child else {})
    )
    kubernetes_validate.validate(child, "1.36", strict=True)


def judge_status(kind: str, status: dict[str, Any]) -> None:
    """Raises where a status has a field that the kind's schema does not know."""
    model = model_of(kind)
    assert model is not None
    of_status = schema(model, model.definition)["properties"]["status"]
    Draft202012Validator(closed(of_status)).validate(status)


def closed(node: Any) -> Any:
    """A schema that refuses unknown fields, in JSON Schema's own words."""
    if not isinstance(node, dict):
        return node
    out = {
        key: {name: closed(child) for name, child in value.items()} if key == "properties" else closed(value)
        for key, value in node.items()
    }
    if "properties" in out and not out.get("x-kubernetes-preserve-unknown-fields"):
        out["additionalProperties"] = False
    return out
