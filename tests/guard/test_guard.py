"""Every point of the checklist, one case each: an answer that breaks it does not get out."""

from copy import deepcopy
from typing import Any

import orjson
import pytest

from app import guard, wire
from app.api.kinds import DEPLOYMENT, POD, SECRET, SERVICE, Kind
from app.contract import Desired, Object, Objects, Observed, Related
from app.guard import Refusal, Rules

NAMESPACE_KIND = Kind("v1", "Namespace", "namespaces", namespaced=False)
RULES = Rules(
    children={(kind.api_version, kind.kind): kind for kind in (DEPLOYMENT, SERVICE, SECRET)},
    parent_namespaced=True,
    status_fields=frozenset({"phase", "conditions", "numbers"}),
    related=frozenset({POD}),
)
CLUSTER = Rules(
    {("v1", "Namespace"): NAMESPACE_KIND, ("v1", "Secret"): SECRET}, parent_namespaced=False, status_fields=frozenset()
)


def secret(**changes: Any) -> dict[str, Any]:
    out = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "a", "namespace": "team-a"}, "data": {"k": "dg=="}}
    return {**out, **changes}


def metadata(**changes: Any) -> dict[str, Any]:
    return {"name": "a", "namespace": "team-a", **changes}


def deployment(**container: Any) -> dict[str, Any]:
    spec = {"template": {"spec": {"containers": [{"name": "c", "image": "i", **container}]}}}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata(), "spec": spec}


def service(*numbers: int) -> dict[str, Any]:
    ports = [{"name": f"p{index}", "port": number} for index, number in enumerate(numbers)]
    return {"apiVersion": "v1", "kind": "Service", "metadata": metadata(), "spec": {"ports": ports}}


def check(desired: Desired, rules: Rules = RULES, observed: Observed | None = None) -> None:
    encoded = wire.composite_answer(desired, finalizing=bool(observed and observed.finalizing))
    guard.check(desired, encoded, observed or Observed(), "team-a" if rules.parent_namespaced else "", rules)


REFUSED = {
    "a null child would crash Metacontroller": ("null-child", [None]),
    "a kind that is not declared would never be seen again": ("undeclared-kind", [secret(kind="ConfigMap")]),
    "another version of a declared kind would be deleted and made for ever": ("undeclared-kind", [secret(apiVersion="v2")]),
    "a child needs a name": ("name", [secret(metadata={"namespace": "team-a"})]),
    "a child in another namespace would be collected while its parent lives": (
        "namespace",
        [secret(metadata=metadata(namespace="b"))],
    ),
    "a child needs its namespace spelled out": ("namespace", [secret(metadata={"name": "a"})]),
    "of two children of one name the last would win silently": ("duplicate", [secret(), secret()]),
    "metadata that a server sets was copied from somewhere": (
        "server-metadata",
        [secret(metadata=metadata(resourceVersion="1"))],
    ),
    "the label controller-uid is Metacontroller's own": (
        "server-metadata",
        [secret(metadata=metadata(labels={"controller-uid": "x"}))],
    ),
    "a last-applied annotation was copied": (
        "server-metadata",
        [secret(metadata=metadata(annotations={"metacontroller.k8s.io/last-applied-configuration": "{}"}))],
    ),
    "a child's status cannot be set": ("server-field", [secret(status={"a": "b"})]),
    "stringData differs from what is stored": ("server-field", [secret(stringData={"a": "b"})]),
    "a null in a child is a write on every sync": ("null", [secret(data={"k": None})]),
    "a null in a list too": ("null", [secret(items=["a", None])]),
    "a float is no integer": ("float", [secret(replicas=1.0)]),
    "a float with an exponent is one too": ("float", [secret(big=1e300)]),
    "a float in a list": ("float", [secret(items=[1, 2.5])]),
    "an empty map that the API server drops": ("empty", [secret(metadata=metadata(labels={}))]),
    "an empty list": ("empty", [secret(items=[])]),
    "an empty env value": ("empty", [deployment(env=[{"name": "A", "value": ""}])]),
    "a quantity in another spelling": ("quantity", [deployment(resources={"limits": {"cpu": "1000m"}})]),
    "a quantity that is a number": ("quantity", [deployment(resources={"limits": {"cpu": 1}})]),
    "two ports of one number in a Service": ("same-port", [service(53, 53)]),
    "two ports of one number in a container": ("same-port", [deployment(ports=[{"containerPort": 443}, {"containerPort": 443}])]),
    "an object over 256 KiB": ("size", [secret(data={"k": "x" * 300_000})]),
}


@pytest.mark.parametrize(("rule", "children"), REFUSED.values(), ids=REFUSED)
def test_refuses_children(rule: str, children: list[Any]) -> None:
    with pytest.raises(Refusal) as refused:
        check(Desired(children, {"phase": "x"}))
    assert refused.value.rule == rule


ENVELOPES = {
    "without a status a composite's would be wiped": ("status", Desired([], None), Observed()),
    "a status field that the schema lacks is a write on every sync": ("unknown-field", Desired([], {"x": 1}), Observed()),
    "a status with a float": ("float", Desired([], {"numbers": 1.5}), Observed()),
    "a status with a null": ("null", Desired([], {"phase": None}), Observed()),
    "the condition Updated is Metacontroller's": ("status", Desired([], {"conditions": [{"type": "Updated"}]}), Observed()),
    "labels are a decorator's": ("unknown-field", Desired([], {}, labels={}), Observed()),
    "finalized in a sync loops": ("finalized", Desired([], {}, finalized=True), Observed()),
    "finalized while a child is left": (
        "finalized",
        Desired([], {}, finalized=True),
        Observed(Objects({"Secret.v1": {"team-a/a": Object()}}), finalizing=True),
    ),
    "finalized with children wanted": ("finalized", Desired([secret()], {}, finalized=True), Observed(finalizing=True)),
}


@pytest.mark.parametrize(("rule", "desired", "observed"), ENVELOPES.values(), ids=ENVELOPES)
def test_refuses_envelopes(rule: str, desired: Desired, observed: Observed) -> None:
    with pytest.raises(Refusal) as refused:
        check(desired, observed=observed)
    assert refused.value.rule == rule


def test_a_child_waits_for_its_namespace() -> None:
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "t"}}
    children = [namespace, secret(metadata={"name": "a", "namespace": "t"})]
    with pytest.raises(Refusal, match="does not exist yet"):
        check(Desired(children, {}), CLUSTER)
    check(Desired(children, {}), CLUSTER, Observed(Objects({"Namespace.v1": {"t": Object()}})))


def test_a_cluster_scoped_child_of_a_namespaced_parent_would_outlive_it() -> None:
    rules = Rules({("v1", "Namespace"): NAMESPACE_KIND}, parent_namespaced=True, status_fields=frozenset())
    with pytest.raises(Refusal, match="cluster-scoped"):
        check(Desired([{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "t"}}], {}), rules)


ALLOWED = {
    "a plain answer": [secret()],
    "emptyDir and other maps that mean something when empty": [secret(volumes=[{"emptyDir": {}}], labelSelector={})],
    "text that looks like a float, a null or something empty": [
        secret(note='":1.5 ":null, ":{} ":[] [1.5 ,2.5', env=["null", "1.5"])
    ],
    "different ports, canonical quantities": [
        deployment(ports=[{"containerPort": 1}, {"containerPort": 2}], resources={"limits": {"cpu": "500m"}}),
        {**service(1, 2), "metadata": metadata(name="b")},
    ],
    "zero, false and negative numbers": [secret(a=0, b=False, c=-5, d=[0, -1])],
}


@pytest.mark.parametrize("children", ALLOWED.values(), ids=ALLOWED)
def test_lets_good_answers_out(children: list[Any]) -> None:
    before = deepcopy(children)
    check(Desired(children, {"phase": "x", "numbers": 1}))
    assert children == before


def test_a_decorator_may_leave_the_status_alone() -> None:
    rules = Rules(RULES.children, parent_namespaced=True, status_fields=frozenset(), composite=False)
    desired = Desired([secret()], None, labels={"a": None}, annotations={"b": "c"})
    answer = wire.decorator_answer(desired, finalizing=False)
    guard.check(desired, answer, Observed(), "team-a", rules)
    assert orjson.loads(answer) == {"attachments": [secret()], "labels": {"a": None}, "annotations": {"b": "c"}}


RULES_REFUSED = {
    "a kind that the row does not declare has no watch": ("undeclared-kind", Related(SECRET, "team-a")),
    "no namespace means every namespace": ("namespace", Related(POD, "")),
    "names and labels exclude each other": ("unknown-field", Related(POD, "team-a", ("a",), {"b": "c"})),
}


@pytest.mark.parametrize(("rule", "related"), RULES_REFUSED.values(), ids=RULES_REFUSED)
def test_refuses_customize_answers(rule: str, related: Related) -> None:
    with pytest.raises(Refusal) as refused:
        guard.check_related((related,), RULES)
    assert refused.value.rule == rule
