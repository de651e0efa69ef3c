"""What holds for every spec: one input, one answer; an answer fed back changes nothing; names and kinds stay in bounds."""

import asyncio
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.controllers import CONTROLLERS
from app.main import create_app
from app.settings import Settings
from tests.backend import CLUSTER, OPERATOR, backend
from tests.build import NAMESPACE, Manifest, backend_config, request, runner, secret
from tests.oracles import judge, judge_status
from tests.stack import stack, up

NOW = "2026-01-01T00:00:00Z"
words = st.from_regex(r"[a-z][a-z0-9]{0,8}", fullmatch=True)
quantities = st.one_of(st.integers(1, 64), st.sampled_from(["0.5", "250m", "1.5Gi", "1024Mi", "1e3"]))
resources = st.fixed_dictionaries(
    {},
    optional={
        part: st.dictionaries(st.sampled_from(["cpu", "memory"]), quantities, max_size=2) for part in ("requests", "limits")
    },
)
selectors: st.SearchStrategy[Any] = st.one_of(
    st.none(), st.just({}), st.fixed_dictionaries({"matchLabels": st.dictionaries(words, words, max_size=2)})
)


def present(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Manifest]:
    """A map with any of these fields, those that are None left out."""
    drawn = st.fixed_dictionaries({}, optional=fields)
    return drawn.map(lambda made: {key: value for key, value in made.items() if value is not None})


terms = st.builds(lambda label: {"topologyKey": "zone", **({"labelSelector": label} if label is not None else {})}, selectors)
placement = present(
    nodeSelector=st.dictionaries(words, words, max_size=2),
    tolerations=st.lists(present(key=words, value=st.sampled_from(["", "x"]), operator=st.just("Equal")), max_size=2),
    affinity=present(podAntiAffinity=present(requiredDuringSchedulingIgnoredDuringExecution=st.lists(terms, max_size=2))),
    priorityClassName=words,
    resources=resources,
)
variables = st.lists(
    st.builds(lambda name, value: {"name": name, "value": value}, words, st.text(max_size=5)),
    max_size=3,
    unique_by=lambda e: e["name"],
)
json_values = st.recursive(
    st.one_of(st.booleans(), st.integers(-9, 9), st.floats(-9, 9), st.text(max_size=5)),
    lambda v: st.lists(v, max_size=2),
    max_leaves=4,
)
specs = present(
    pattern=st.sampled_from(["keyvalue", "consumer", "producer", "mailbox", "pubsub", "multicast-registry", "own_kind"]),
    backend=st.sampled_from(["memstore", "redis", "nats", "cache", "s3"]),
    replicas=st.integers(0, 5),
    image=words,
    resources=resources,
    config=st.one_of(
        st.dictionaries(words, json_values, max_size=3),
        st.sampled_from([{"redisUrl": "redis://:p%40@h:1/2"}, {"natsUrl": "nats://a,b:1"}, {"url": "http://x/y?z=1"}]),
    ),
    backendConfig=present(name=st.just("cache"), host=words),
    backendBindings=st.dictionaries(
        st.sampled_from(["state_store", "registry", "messaging", "x"]), st.just({"backendRef": "cache"}), max_size=3
    ),
    service=present(
        type=st.sampled_from(["ClusterIP", "NodePort"]),
        port=st.integers(1, 65535),
        annotations=st.dictionaries(words, words, max_size=1),
    ),
    autoscaling=present(
        enabled=st.booleans(),
        maxReplicas=st.integers(3, 9),
        minReplicas=st.integers(1, 3),
        scaler=st.sampled_from(["hpa", "keda"]),
    ),
    placement=placement,
    runnerSpec=placement,
    podTemplate=present(env=variables, labels=st.dictionaries(words, words, max_size=2), serviceAccountName=words),
)
DECLARED = {(kind.api_version, kind.kind) for row in CONTROLLERS for kind in row.children}
CLIENT = httpx.AsyncClient(transport=httpx.ASGITransport(create_app(Settings(), now=lambda: NOW)), base_url="http://operator")
CACHE = [
    backend_config({"type": "redis"}, uid="uid-cache"),
    secret(
        "prism-backendconfig-cache",
        uid="uid-cache",
        kind="servicebinding.io/redis",
        type="redis",
        host="h",
        port="1",
        password="p",
    ),
]


def sync(hook: str, body: Manifest) -> tuple[bytes, Manifest]:
    """The answer's bytes and the answer. A loop of its own each time: hypothesis calls plain functions."""
    response = asyncio.run(CLIENT.post(f"/hooks/{hook}/sync", json=body))
    assert response.status_code == 200, response.text
    return response.content, response.json()


def check(kind: str, hook: str, parent: Manifest, related: list[Manifest], namespace: str = NAMESPACE) -> None:
    first_bytes, first = sync(hook, request(parent, related=related))
    again_bytes, _ = sync(hook, request(parent, related=related))
    assert first_bytes == again_bytes
    judge_status(kind, first["status"])
    for child in first["children"]:
        judge(child)
        assert len(child["metadata"]["name"]) <= 63
        assert child["metadata"]["namespace"] == namespace
        assert (child["apiVersion"], child["kind"]) in DECLARED
    existing = [up(child) for child in first["children"]]
    fed_back = {**parent, "status": first["status"]}
    _, second = sync(hook, request(fed_back, existing, related))
    assert second["children"] == first["children"]
    _, third = sync(hook, request({**parent, "status": second["status"]}, existing, related))
    assert third["status"] == second["status"]


@given(specs, st.booleans())
def test_runners(spec: Manifest, related: bool) -> None:
    check("PatternRunner", "prism-runner", runner(spec), CACHE if related else [])


connections = present(
    url=st.sampled_from(
        ["redis://h", "nats://u:p@a:1,b", "kafka://k:9092,l", "mysql://m/db?x=1", "h:1", "://", "redis://h:port"]
    ),
    host=words,
    port=st.integers(1, 65535),
    username=st.text(min_size=1, max_size=5),
    secretRef=st.just({"name": "s"}),
)
configs = st.builds(
    lambda kind, rest: {"type": kind, **rest},
    st.sampled_from(["redis", "messaging", "postgres", "weird", "memstore", "s3"]),
    present(
        connection=connections,
        provider=st.sampled_from(["nats", "kafka"]),
        tls=st.sampled_from([{}, {"secretRef": {"name": "s"}}]),
    ),
)


@given(configs, st.dictionaries(st.sampled_from(["username", "password", "host", "url", "ca.crt", "port"]), st.text(max_size=8)))
def test_backend_configs(spec: Manifest, data: dict[str, Any]) -> None:
    held = secret("s", **{key.replace(".", "__"): value for key, value in data.items()})
    check("BackendConfig", "prism-backendconfig", backend_config(spec), [held])


components = present(
    replicas=st.integers(1, 5),
    port=st.integers(1, 65535),
    image=words,
    resources=resources,
    placement=placement,
    runnerSpec=placement,
    podTemplate=present(env=variables, labels=st.dictionaries(words, words, max_size=2), serviceAccountName=words),
    service=present(type=st.sampled_from(["ClusterIP", "LoadBalancer"]), annotations=st.dictionaries(words, words, max_size=1)),
)
stacks = present(
    proxy=components,
    admin=components,
    patterns=st.lists(
        st.builds(lambda name, spec: {**spec, "name": name, "type": spec.get("pattern", "keyvalue")}, words, specs).map(
            lambda made: {key: value for key, value in made.items() if key != "pattern"}
        ),
        max_size=3,
        unique_by=lambda made: made["name"],
    ),
    backends=st.lists(
        st.builds(lambda name, spec: {**spec, "name": name}, words, configs), max_size=2, unique_by=lambda b: b["name"]
    ),
    observability=present(
        enabled=st.booleans(),
        metrics=present(port=st.sampled_from([1, 8980, 8990, 9090, 65535])),
        tracing=present(endpoint=st.sampled_from(["http://otel:4317"])),
    ),
    affinity=present(podAntiAffinity=present(requiredDuringSchedulingIgnoredDuringExecution=st.lists(terms, max_size=2))),
)


@given(stacks)
def test_stacks(spec: Manifest) -> None:
    check("PrismStack", "prism-stack", stack(spec), [])


discoveries = present(
    service=present(name=st.just("redis-master"), namespace=st.just("infra"), port=st.sampled_from([6379, 1])),
    secret=present(
        name=st.just("login"), namespace=st.sampled_from(["infra", "x"]), passwordKey=st.sampled_from(["redis-password", "no"])
    ),
    configMap=present(name=st.just("address"), namespace=st.just("infra"), key=words),
)
backends = st.builds(
    lambda kind, rest: {"type": kind, **rest},
    st.sampled_from(["redis", "kafka", "postgres", "weird", "memstore"]),
    present(
        discovery=discoveries,
        connection=present(
            uri=st.sampled_from(["redis://h", "://", "kafka://a,b:1"]), host=words, bootstrapServers=st.lists(words, max_size=2)
        ),
        bindingRef=present(
            kind=st.sampled_from(["Secret", "Cluster", "KafkaUser"]), name=st.just("login"), namespace=st.just("infra")
        ),
        tls=st.sampled_from([{}, {"enabled": False}, {"secretRef": {"name": "login"}}]),
        config=st.dictionaries(words, json_values, max_size=2),
        capabilities=st.lists(words, max_size=2),
        metadata=st.dictionaries(words, words, max_size=2),
        allowedNamespaces=st.sampled_from([{"from": "Same"}, {"from": "List", "namespaces": ["x"]}]),
    ),
)


@given(
    backends.filter(
        lambda spec: (
            all("name" in part for part in spec.get("discovery", {}).values()) and "name" in spec.get("bindingRef", {"name": 1})
        )
    ),
    st.booleans(),
)
def test_backends(spec: Manifest, there: bool) -> None:
    check("PrismBackend", "prism-backend", backend(spec), CLUSTER if there else [], OPERATOR)


@pytest.mark.parametrize("row", CONTROLLERS, ids=lambda row: row.name)
def test_customize_depends_on_name_namespace_and_spec_alone(row: Any) -> None:
    """Metacontroller keeps the answer for a generation: nothing else of the parent may shape it."""
    spec = {
        "PatternRunner": {"pattern": "consumer", "backendConfig": {"name": "cache"}},
        "PrismPattern": {"pattern": "consumer", "backendBindings": {"message_source": {"discover": {"service": "k.x.svc"}}}},
        "PrismBackend": {"type": "redis", "discovery": {"service": {"name": "r", "namespace": "x"}, "secret": {"name": "s"}}},
        "BackendConfig": {"type": "redis", "secretRef": {"name": "s"}},
        "PrismStack": {
            "admin": {},
            "patterns": [{"name": "a", "type": "keyvalue"}],
            "backends": [{"name": "b", "type": "redis"}],
        },
    }
    kind = row.parent.definition.kind.kind
    parent = {**runner(), "kind": kind, "spec": spec[kind]}
    other = {
        **parent,
        "metadata": {**parent["metadata"], "labels": {"a": "b"}, "annotations": {"c": "d"}, "generation": 9},
        "status": {"phase": "x"},
    }
    answers = [
        asyncio.run(CLIENT.post(f"/hooks/{row.name}/customize", json={"parent": each})).content for each in (parent, other)
    ]
    assert answers[0] == answers[1]
