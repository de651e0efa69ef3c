"""The head of a child: kind, name, labels."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.api.kinds import Kind

Child = dict[str, Any]
MANAGED_BY = "prism-operator"
NOT_OURS = "last-applied-configuration"


@dataclass(frozen=True, slots=True)
class Owner:
    """Who a child is for: the parent's name and namespace, and the role of what it makes, such as ``runner``."""

    name: str
    namespace: str
    component: str
    labels: Mapping[str, str]

    @property
    def selector(self) -> dict[str, str]:
        """The labels that select the pods. They never change, so pattern, backend and image can."""
        return {"prism.io/component": self.component, "prism.io/instance": self.name}


def label_value(text: str) -> str:
    """Text as a label value: at most 63 characters, other characters as ``-``."""
    kept = "".join(c if (c.isalnum() and c.isascii()) or c in "-_." else "-" for c in text)[:63]
    return kept.strip("-_.")


def common_labels(owner: Owner) -> dict[str, str]:
    """The labels of every child."""
    return {
        **owner.labels,
        "app.kubernetes.io/component": owner.component,
        "app.kubernetes.io/instance": owner.name,
        "app.kubernetes.io/managed-by": MANAGED_BY,
        "app.kubernetes.io/name": "prism",
        **owner.selector,
    }


def child(kind: Kind, owner: Owner, name: str, annotations: Mapping[str, str] | None = None, **body: Any) -> Child:
    """A child object of the parent's namespace."""
    metadata: dict[str, Any] = {"name": name, "namespace": owner.namespace, "labels": common_labels(owner)}
    kept = {key: text for key, text in sorted((annotations or {}).items()) if not key.endswith(NOT_OURS)}
    if kept:
        metadata["annotations"] = kept
    return {"apiVersion": kind.api_version, "kind": kind.kind, "metadata": metadata, **body}
