"""What happens in the demo after the samples are up: each scene changes something, and says what must come of it."""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass

from app.api.v1alpha1.common import API_VERSION
from app.engine.cluster import Cluster, Manifest

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


SCENES = (
    Scene("a stack grows: an admin of three, a queue and its backend", edit(STACK, "demo", _grow), STACK, "demo", "Ready"),
    Scene("a bad image", edit(STACK, "demo", _image("ghcr.io/prism/broken:1")), STACK, "demo", "ImagePullFailed"),
    Scene("its repair", edit(STACK, "demo", _image(None)), STACK, "demo", "Ready"),
    Scene("a pattern removed", edit(STACK, "demo", lambda spec: spec["patterns"].pop(0)), STACK, "demo", "Ready"),
)
