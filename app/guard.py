"""PURE: the last look at an answer. One bad answer can crash Metacontroller for every controller of a cluster.

Each refusal names a rule and a place and never a value. Cheap looks come first: a walk over the objects happens only
where the encoded bytes hold something suspicious, or are large.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import orjson

from app.api import quantities
from app.api.kinds import Kind
from app.api.v1alpha1.common import GROUP
from app.contract import Desired, Observed, Related

Form = Literal["builtin", "ours", "status"]
MAX_OBJECT_BYTES = 256 * 1024
HEAD = frozenset({"name", "namespace", "labels", "annotations"})
FORBIDDEN = frozenset({"status", "stringData"})
DROPPED_EMPTY = frozenset({"labels", "annotations", "nodeSelector", "data", "binaryData", "matchLabels", "limits", "requests"})
LAST_APPLIED = "last-applied-configuration"
# Fixed first bytes make these a tenth of the cost of a walk. A string may look the same: then the walk decides.
IN_MAPS = re.compile(rb'":(?:-?\d+[.eE]|null|\{\}|\[\])')
IN_LISTS = re.compile(rb"\[(?:[^\[\]{}]*,)?(?:-?\d+[.eE]|null)")


class Refusal(Exception):
    """An answer that must not be sent. ``rule`` is one word for metrics."""

    def __init__(self, rule: str, place: str) -> None:
        super().__init__(f"{rule}: {place}")
        self.rule, self.place = rule, place


@dataclass(frozen=True)
class Rules:
    """What a controller may answer. ``status_fields`` are those of the schema."""

    children: Mapping[tuple[str, str], Kind]
    parent_namespaced: bool
    status_fields: frozenset[str]
    related: frozenset[Kind] = frozenset()
    composite: bool = True


def check(desired: Desired, encoded: bytes, observed: Observed, namespace: str, rules: Rules) -> None:
    """Raises Refusal where an answer breaks a rule of the checklist. ``namespace`` is the parent's."""
    _envelope(desired, observed, rules)
    seen: set[tuple[str, str, str]] = set()
    for child in desired.children:
        kind = _head(child, namespace, rules, seen)
        _shape(child, kind)
    _new_namespaces(desired, observed)
    _bytes(desired, encoded)


def check_related(related: tuple[Related, ...], rules: Rules) -> None:
    """Raises Refusal where a customize answer asks for what the controller does not declare, or for every namespace."""
    for rule in related:
        if rule.kind not in rules.related:
            raise Refusal("undeclared-kind", rule.kind.key)
        if rule.kind.namespaced and not rule.namespace and rules.parent_namespaced:
            raise Refusal("namespace", f"{rule.kind.key}: a rule without a namespace selects every namespace")
        if rule.names and rule.labels:
            raise Refusal("unknown-field", f"{rule.kind.key}: names and labels exclude each other")


def _envelope(desired: Desired, observed: Observed, rules: Rules) -> None:
    status = desired.status
    if rules.composite and status is None:
        raise Refusal("status", "a composite's answer without a status would wipe it")
    if rules.composite and (desired.labels is not None or desired.annotations is not None):
        raise Refusal("unknown-field", "labels and annotations are a decorator's")
    for name in status or ():
        if name not in rules.status_fields:
            raise Refusal("unknown-field", f"status.{name} is not in the schema")
    if any(condition.get("type") == "Updated" for condition in (status or {}).get("conditions", ())):
        raise Refusal("status", "the condition Updated is Metacontroller's own")
    if desired.finalized and (not observed.finalizing or observed.children or desired.children):
        raise Refusal("finalized", "only for a finalize request, and only once no child is left")


def _head(child: Any, namespace: str, rules: Rules, seen: set[tuple[str, str, str]]) -> Kind:
    if not isinstance(child, dict):
        raise Refusal("null-child", "children holds something that is no object")
    kind = rules.children.get((child.get("apiVersion", ""), child.get("kind", "")))
    if kind is None:
        raise Refusal("undeclared-kind", f"{child.get('apiVersion')}/{child.get('kind')}")
    metadata = child.get("metadata") or {}
    name, where = metadata.get("name"), metadata.get("namespace", "")
    if not name:
        raise Refusal("name", f"{kind.kind} without metadata.name")
    if kind.namespaced and (not where or (rules.parent_namespaced and where != namespace)):
        raise Refusal("namespace", f"{kind.kind} {name}: a child lies in the namespace of its parent")
    if not kind.namespaced and (where or rules.parent_namespaced):
        raise Refusal("namespace", f"{kind.kind} {name}: a cluster-scoped child needs a cluster-scoped parent and no namespace")
    key = (kind.kind, where, name)
    if key in seen:
        raise Refusal("duplicate", f"{kind.kind} {name}")
    seen.add(key)
    if not FORBIDDEN.isdisjoint(child):
        raise Refusal("server-field", f"{kind.kind} {name}: {min(FORBIDDEN & child.keys())}")
    _metadata(metadata, kind)
    return kind


def _metadata(metadata: dict[str, Any], kind: Kind) -> None:
    if not metadata.keys() <= HEAD:
        raise Refusal("server-metadata", f"{kind.kind} {metadata['name']}: metadata.{min(metadata.keys() - HEAD)}")
    if "controller-uid" in (metadata.get("labels") or ()):
        raise Refusal("server-metadata", f"{kind.kind} {metadata['name']}: the label controller-uid is Metacontroller's")
    if any(note.endswith(LAST_APPLIED) for note in metadata.get("annotations") or ()):
        raise Refusal("server-metadata", f"{kind.kind} {metadata['name']}: an annotation of whoever applied the object")


def _shape(child: dict[str, Any], kind: Kind) -> None:
    spec = child.get("spec")
    if not isinstance(spec, dict):
        return
    place = f"{kind.kind} {child['metadata']['name']}"
    if kind.kind == "Service":
        _ports(spec.get("ports") or (), place)
    template = spec.get("template")
    pod: dict[str, Any] = (template.get("spec") if isinstance(template, dict) else None) or {}
    for name in ("containers", "initContainers"):
        for container in pod.get(name) or ():
            _container(container, place)
    for claim in spec.get("volumeClaimTemplates") or ():
        _amounts(((claim.get("spec") or {}).get("resources") or {}).get("requests") or {}, place)


def _container(container: dict[str, Any], place: str) -> None:
    _ports(container.get("ports") or (), place)
    for amounts in (container.get("resources") or {}).values():
        _amounts(amounts, place)
    if any(variable.get("value") == "" for variable in container.get("env") or ()):
        raise Refusal("empty", f"{place}: an empty env value, which the API server drops")


def _ports(ports: Any, place: str) -> None:
    numbers = [port.get("containerPort", port.get("port")) for port in ports]
    if len(set(numbers)) != len(numbers):
        raise Refusal("same-port", f"{place}: two ports of one number, which Metacontroller would merge into one")


def _amounts(amounts: Any, place: str) -> None:
    for name, amount in amounts.items() if isinstance(amounts, dict) else ():
        try:
            good = isinstance(amount, str) and quantities.canonical(amount) == amount
        except ValueError:
            good = False
        if not good:
            raise Refusal("quantity", f"{place}: {name} is not in the form that the API server stores")


def _new_namespaces(desired: Desired, observed: Observed) -> None:
    groups = observed.children.groups.get("Namespace.v1", {})
    new = {child["metadata"]["name"] for child in desired.children if child["kind"] == "Namespace"} - groups.keys()
    if new and any(child["metadata"].get("namespace") in new for child in desired.children):
        raise Refusal("namespace", "a child of a Namespace that does not exist yet")


def _bytes(desired: Desired, encoded: bytes) -> None:
    if _suspicious(encoded) and _suspicious(encoded.replace(b'"emptyDir":{}', b"")):
        for child in desired.children:
            form: Form = "ours" if child["apiVersion"].startswith(f"{GROUP}/") else "builtin"
            _walk(child, f"{child['kind']} {child['metadata']['name']}", form)
        _walk(desired.status, "status", "status")
    if len(encoded) > MAX_OBJECT_BYTES:
        for child in desired.children:
            if len(orjson.dumps(child)) > MAX_OBJECT_BYTES:
                raise Refusal("size", f"{child['kind']} {child['metadata']['name']}: more than 256 KiB")


def _suspicious(encoded: bytes) -> bool:
    return bool(IN_MAPS.search(encoded) or IN_LISTS.search(encoded))


def _walk(value: Any, place: str, form: Form) -> None:
    """The slow look. Of its own kinds the API server changes what is empty or no whole number; ours it stores as given."""
    if value is None and place != "status":
        raise Refusal("null", place)
    if isinstance(value, float) and (form != "ours" or (value.is_integer() and abs(value) < 2**53)):
        raise Refusal("float", place)
    if isinstance(value, list | tuple):
        if not value and form == "builtin":
            raise Refusal("empty", place)
        for index, item in enumerate(value):
            _walk(item, f"{place}[{index}]", form)
    elif isinstance(value, dict):
        for key, item in value.items():
            if form == "builtin" and item == {} and key in DROPPED_EMPTY:
                raise Refusal("empty", f"{place}.{key}")
            _walk(item, f"{place}.{key}", form)
