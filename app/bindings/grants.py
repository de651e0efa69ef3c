"""Who may use what: a PrismBackend by its allowedNamespaces, another namespace's Secret by its owner's consent."""

from typing import Any

from app.api.kinds import NAMESPACE
from app.contract import Object, Observed, read

SHARED = "prism.io/shared-with"


def shared(found: Object, namespace: str) -> bool:
    """Whether a Secret's owner lets another namespace read it."""
    allowed = [entry.strip() for entry in found.metadata.annotations.get(SHARED, "").split(",")]
    return "*" in allowed or namespace in allowed


def admits(backend: Object, namespace: str, observed: Observed) -> bool:
    """Whether a PrismBackend lets a namespace bind to it. An unknown form admits nobody."""
    spec = read(backend.spec)
    allowed: dict[str, Any] = spec.get("allowedNamespaces") or {}
    match allowed.get("from", "All"):
        case "All":
            return True
        case "Same":
            return namespace in own_namespaces(spec)
        case "List":
            return namespace in (allowed.get("namespaces") or ())
        case "Selector":
            own = observed.related.get(NAMESPACE, "", namespace)
            return own is not None and selects(allowed.get("selector") or {}, own.metadata.labels)
    return False


def own_namespaces(spec: dict[str, Any]) -> set[str]:
    """The namespaces of the Service or Secret that a PrismBackend names."""
    discovery = spec.get("discovery") or {}
    named = (discovery.get("service"), discovery.get("secret"), spec.get("bindingRef"))
    return {each["namespace"] for each in named if each and each.get("namespace")}


def selects(selector: dict[str, Any], labels: dict[str, str]) -> bool:
    """Whether a label selector, as meta/v1 has it, selects these labels."""
    if any(labels.get(key) != value for key, value in (selector.get("matchLabels") or {}).items()):
        return False
    return all(_holds(term, labels) for term in selector.get("matchExpressions") or ())


def _holds(term: dict[str, Any], labels: dict[str, str]) -> bool:
    key, values = term.get("key", ""), term.get("values") or ()
    match term.get("operator"):
        case "In":
            return labels.get(key) in values
        case "NotIn":
            return labels.get(key) not in values
        case "Exists":
            return key in labels
        case "DoesNotExist":
            return key not in labels
    return False
