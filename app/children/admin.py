"""The admin of a stack: a Raft cluster as a StatefulSet, a name and a volume for each member.

What the image needs, from its own code: decimal node ids from 1, the address of its own pod to bind to, the list of all
members from the first start, its gRPC on 8980 (where followers look for the leader), all members started side by side.
"""

from typing import Any

from app.api.v1alpha1.prismstack import PrismStackSpec
from app.api.v1alpha1.scheduling import Placement
from app.api.v1alpha1.stackparts import AdminSpec, Storage
from app.children.metadata import Child, Owner
from app.children.placement import resources, scheduling
from app.children.pod import Container, image, pod_template
from app.children.proxy import listening, metrics_port, scraped, traced
from app.children.service import headless, service
from app.children.workload import stateful_set, volume_claim

GRPC, RAFT, METRICS = 8980, 8990, 9090
PEERS = {"prism.io/service": "peers"}
CLAIM, HOME = "data", "/var/lib/prism-admin"


def odd(replicas: int) -> int:
    """The members that Raft takes: an even number is rounded up."""
    return replicas | 1


def peers(name: str, namespace: str, replicas: int) -> str:
    """Every member's id and address, as PRISM_PEERS reads them."""
    return ",".join(f"{number}={name}-{number}.{name}-peers.{namespace}.svc:{RAFT}" for number in range(1, replicas + 1))


def admin_pod(
    owner: Owner, name: str, spec: PrismStackSpec, own: AdminSpec, replicas: int, annotations: dict[str, str], registry: str,
    claim: str = CLAIM,
) -> dict[str, Any]:  # fmt: skip
    """The pod template. ``claim`` is the volume that the StatefulSet has for it; empty where an older one has none."""
    metrics = metrics_port(spec.observability, {GRPC, RAFT})
    layers: list[Placement | None] = [own.runner_spec, own.placement]
    container = Container(
        name="prism-admin",
        image=image(own.image, "prism-admin", registry),
        ports={"grpc": GRPC, "raft": RAFT, "metrics": metrics or METRICS},
        args=(
            "serve",
            f"--grpc-port={GRPC}",
            f"--metrics-port={metrics or METRICS}",
            f"--db=sqlite://{HOME}/admin.db",
            f"--data-dir={HOME}/raft",
        ),
        env={
            "PRISM_BIND_ADDR": f"$(POD_IP):{RAFT}",
            "PRISM_PEERS": peers(name, owner.namespace, replicas),
            **traced(spec.observability, name),
        },
        fields={"POD_IP": "status.podIP", "PRISM_NODE_ID": "metadata.labels['apps.kubernetes.io/pod-index']"},
        pull_policy=own.image_pull_policy,
        resources=resources(layers, own.resources),
        claims={claim or CLAIM: HOME},
        probes=listening("grpc"),
    )
    notes = {**scraped(metrics), **annotations}
    template = pod_template(owner, container, scheduling(layers, owner.selector), own.pod_template, notes)
    if not claim:
        template["spec"]["volumes"].append({"name": CLAIM, "emptyDir": {}})
    return template


def admin_set(owner: Owner, name: str, template: dict[str, Any], replicas: int, storage: Storage | None) -> Child:
    """The StatefulSet. Its volumes stay when it goes."""
    wanted = storage or Storage()
    claim = volume_claim(CLAIM, wanted.size, wanted.storage_class_name)
    return stateful_set(owner, name, f"{name}-peers", template, replicas, [claim])


def admin_services(owner: Owner, name: str, own: AdminSpec) -> list[Child]:
    """The Service that clients use, and the one by which members find each other."""
    client = service(owner, name, own.port, GRPC, own.service.type, own.service.annotations, "grpc")
    return [client, headless(owner, f"{name}-peers", {"grpc": GRPC, "raft": RAFT}, PEERS)]
