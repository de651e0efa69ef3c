"""Roles: what Metacontroller may do for us, and what people may do with our kinds. Nobody else needs any right."""

from collections import defaultdict
from typing import Any

from app.api.v1alpha1.common import GROUP
from app.controllers import Controller

Manifest = dict[str, Any]
API = "rbac.authorization.k8s.io"
READ, OWN = ["get", "list", "watch"], ["create", "delete", "get", "list", "patch", "update", "watch"]
METACONTROLLER_ITSELF: list[Manifest] = [
    {"apiGroups": ["metacontroller.k8s.io"], "resources": ["compositecontrollers", "decoratorcontrollers"], "verbs": READ},
    {"apiGroups": ["metacontroller.k8s.io"], "resources": ["controllerrevisions"], "verbs": READ},
    {"apiGroups": ["apiextensions.k8s.io"], "resources": ["customresourcedefinitions"], "verbs": READ},
    {"apiGroups": ["", "events.k8s.io"], "resources": ["events"], "verbs": ["create", "patch"]},
    {"apiGroups": [""], "resources": ["namespaces"], "verbs": READ},
]


NAME = "prism-operator-metacontroller"


def metacontroller_role(table: tuple[Controller, ...], name: str = NAME, *, own: bool = True) -> Manifest:
    """Everything that Metacontroller needs for the controllers of the table, with ``own`` its own needs included."""
    needs: dict[tuple[str, str], set[str]] = defaultdict(set)
    for row in table:
        parent = row.parent.definition.kind
        needs[parent.group, parent.plural] |= {*READ, "update", "patch"}
        needs[parent.group, f"{parent.plural}/status"] |= {"get", "update", "patch"}
        needs[parent.group, f"{parent.plural}/finalizers"] |= {"update"}
        for kind in row.related:
            needs[kind.group, kind.plural] |= set(READ)
        for kind in row.children:
            needs[kind.group, kind.plural] |= set(OWN)
    return cluster_role(name, (METACONTROLLER_ITSELF if own else []) + _rules(needs))


def _rules(needs: dict[tuple[str, str], set[str]]) -> list[Manifest]:
    """One rule for each group and set of verbs."""
    grouped: dict[tuple[str, tuple[str, ...]], list[str]] = defaultdict(list)
    for (group, resource), verbs in sorted(needs.items()):
        grouped[group, tuple(sorted(verbs))].append(resource)
    return [{"apiGroups": [group], "resources": names, "verbs": list(verbs)} for (group, verbs), names in sorted(grouped.items())]


def people_roles(table: tuple[Controller, ...]) -> list[Manifest]:
    """Roles that add our kinds to the cluster's own view, edit and admin."""
    plurals = sorted({row.parent.definition.kind.plural for row in table if row.parent.definition.kind.group == GROUP})
    scaled = sorted({row.parent.definition.kind.plural for row in table if row.parent.definition.scale})
    view = [{"apiGroups": [GROUP], "resources": [*plurals, *(f"{name}/status" for name in plurals)], "verbs": READ}]
    edit = [
        {"apiGroups": [GROUP], "resources": plurals, "verbs": [*OWN[:2], "deletecollection", *OWN[2:]]},
        {"apiGroups": [GROUP], "resources": [f"{name}/scale" for name in scaled], "verbs": ["get", "patch", "update"]},
    ]
    return [
        cluster_role(
            "prism-operator-view",
            view,
            {f"rbac.authorization.k8s.io/aggregate-to-{to}": "true" for to in ("view", "edit", "admin")},
        ),
        cluster_role(
            "prism-operator-edit", edit, {f"rbac.authorization.k8s.io/aggregate-to-{to}": "true" for to in ("edit", "admin")}
        ),
    ]


def cluster_role(name: str, rules: list[Manifest], labels: dict[str, str] | None = None) -> Manifest:
    metadata = {"name": name, "labels": {"app.kubernetes.io/part-of": "prism-operator", **(labels or {})}}
    return {"apiVersion": f"{API}/v1", "kind": "ClusterRole", "metadata": metadata, "rules": rules}


def metacontroller_binding(name: str = NAME) -> Manifest:
    """Binds the role to Metacontroller's ServiceAccount, where its chart and its manifests put it."""
    return {
        "apiVersion": f"{API}/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": name, "labels": {"app.kubernetes.io/part-of": "prism-operator"}},
        "roleRef": {"apiGroup": API, "kind": "ClusterRole", "name": name},
        "subjects": [{"kind": "ServiceAccount", "name": "metacontroller", "namespace": "metacontroller"}],
    }
