"""What happens in the demo after the samples are up: each scene changes something, and says what must come of it."""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass

from app.api.v1alpha1.common import API_VERSION
from app.engine.cluster import Cluster, Manifest, key_of

NAMESPACE = "default"
STACK = "PrismStack"


@dataclass(frozen=True, slots=True)
class Scene:
    """``outcome`` is Ready, or the reason for which Ready is false, of the object ``kind`` ``name``."""

    title: str
    play: Callable[[Cluster], None]
    kind: str
    name: str
    outcome: str
    namespace: str = NAMESPACE


def edit(kind: str, name: str, change: Callable[[Manifest], None]) -> Callable[[Cluster], None]:
    """A person's edit of the spec of one of our objects."""

    def play(cluster: Cluster) -> None:
        found = cluster.get((f"{kind}.{API_VERSION}", NAMESPACE, name))
        if found is None:
            raise ValueError(f"the demo's scenes need {kind} {name} among the samples")
        spec = deepcopy(found["spec"])
        change(spec)
        cluster.apply({**found, "spec": spec})

    return play


def _grow(spec: Manifest) -> None:
    spec["proxy"] = {"replicas": 3}
    spec["admin"] = {"replicas": 3}
    spec["patterns"].append({"name": "orders", "type": "queue", "backend": "orders-nats"})
    spec["backends"] = [{"name": "orders-nats", "type": "nats", "connectionString": "nats://nats.prism-system.svc:4222"}]


def _image(image: str | None) -> Callable[[Manifest], None]:
    return lambda spec: spec["proxy"].update(image=image) if image else spec["proxy"].pop("image")


def apply(*manifests: Manifest) -> Callable[[Cluster], None]:
    """A person applies objects."""

    def play(cluster: Cluster) -> None:
        for manifest in manifests:
            cluster.apply(manifest)

    return play


def delete(*manifests: Manifest) -> Callable[[Cluster], None]:
    """A person deletes them."""

    def play(cluster: Cluster) -> None:
        for manifest in manifests:
            cluster.delete(key_of(manifest))

    return play


def _object(api_version: str, kind: str, name: str, namespace: str = NAMESPACE, **body: object) -> Manifest:
    metadata = {"name": name, **({"namespace": namespace} if namespace else {})}
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **body}


BINDINGS: Manifest = {"store": {"backendRef": "carts"}}
PATTERN = _object(API_VERSION, "PrismPattern", "carts-cache", spec={"pattern": "keyvalue", "backendBindings": BINDINGS})
PATTERN["metadata"]["annotations"] = {"prism.io/sample-outcome": "BackendNotFound"}
SERVICE = _object("v1", "Service", "carts-redis", spec={"type": "ExternalName", "externalName": "carts.example.com", "ports": []})
BACKEND = _object(
    API_VERSION, "PrismBackend", "carts", "",
    spec={
        "type": "redis",
        "discovery": {"service": {"name": "carts-redis", "namespace": NAMESPACE}, "secret": {"name": "carts-redis"}},
    },
)  # fmt: skip


def _password(text: str) -> Manifest:
    return _object("v1", "Secret", "carts-redis", stringData={"redis-password": text})


SCENES = (
    Scene("a stack grows: an admin of three, a queue and its backend", edit(STACK, "demo", _grow), STACK, "demo", "Ready"),
    Scene("a bad image", edit(STACK, "demo", _image("ghcr.io/prism/broken:1")), STACK, "demo", "ImagePullFailed"),
    Scene("its repair", edit(STACK, "demo", _image(None)), STACK, "demo", "Ready"),
    Scene("a pattern removed", edit(STACK, "demo", lambda spec: spec["patterns"].pop(0)), STACK, "demo", "Ready"),
    Scene("a pattern waits for its backend", apply(PATTERN), "PrismPattern", "carts-cache", "BackendNotFound"),
    Scene("the backend appears", apply(SERVICE, _password("one"), BACKEND), "PrismBackend", "carts", "Ready", ""),
    Scene("and the pattern binds", apply(), "PrismPattern", "carts-cache", "Ready"),
    Scene("its password rotates, the pods roll", apply(_password("two")), "PrismPattern", "carts-cache", "Ready"),
    Scene("the backend vanishes, the pods stay", delete(BACKEND, SERVICE), "PrismPattern", "carts-cache", "BackendNotFound"),
)
