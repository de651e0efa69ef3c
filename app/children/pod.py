"""The pod of a runner, a proxy or an admin: hardened by default, with what it reads mounted."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from app.api.v1alpha1.podspec import PodTemplate, canonical
from app.children.metadata import Owner, common_labels

USER = 65532
HASH, RESTARTED = "prism.io/config-hash", "prism.io/restartedAt"
DEFAULT_REGISTRY = "ghcr.io/prism"
HARDENED: dict[str, Any] = {
    "runAsNonRoot": True, "runAsUser": USER, "runAsGroup": USER, "fsGroup": USER, "seccompProfile": {"type": "RuntimeDefault"},
}  # fmt: skip
CONTAINED: dict[str, Any] = {
    "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]},
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Mount:
    """A Secret mounted as files. An optional one does not hold up the pod."""

    volume: str
    secret: str
    path: str
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Container:
    """The pod's container. ``ports`` is name to number, ``fields`` a variable to the pod's field that it holds,
    ``claims`` a volume claim to the path where it is mounted."""

    name: str
    image: str
    ports: Mapping[str, int]
    args: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    fields: Mapping[str, str] = field(default_factory=dict)
    pull_policy: str | None = None
    resources: Mapping[str, Any] = field(default_factory=dict)
    mounts: tuple[Mount, ...] = ()
    claims: Mapping[str, str] = field(default_factory=dict)
    probes: Mapping[str, Any] = field(default_factory=dict)


def image(wanted: str | None, default: str, registry: str) -> str:
    """The image, ``default`` being a name below ghcr.io/prism; from the registry of this installation where it has its own."""
    chosen = wanted or f"{DEFAULT_REGISTRY}/{default}:latest"
    if registry and chosen.startswith(f"{DEFAULT_REGISTRY}/"):
        return registry.rstrip("/") + chosen.removeprefix(DEFAULT_REGISTRY)
    return chosen


def restarted(annotations: Mapping[str, str]) -> dict[str, str]:
    """The annotation that rolls the pods of a parent, where the parent has it."""
    return {RESTARTED: annotations[RESTARTED]} if annotations.get(RESTARTED) else {}


def pod_template(
    owner: Owner,
    container: Container,
    scheduling: dict[str, Any],
    extra: PodTemplate | None,
    annotations: Mapping[str, str],
    grace_seconds: int | None = None,
) -> dict[str, Any]:
    """A pod template; what the user adds never replaces the labels that select the pods."""
    extra = extra or PodTemplate()
    notes = {**extra.annotations, **annotations}
    metadata: dict[str, Any] = {"labels": {**extra.labels, **common_labels(owner)}}
    if notes:
        metadata["annotations"] = dict(sorted(notes.items()))
    account = {"serviceAccountName": extra.service_account_name} if extra.service_account_name else {}
    spec: dict[str, Any] = {
        "automountServiceAccountToken": bool(account),
        "containers": [_container(container, extra)],
        "enableServiceLinks": False,
        "securityContext": {**HARDENED, **(canonical(extra.security_context) if extra.security_context else {})},
        "volumes": [*map(_volume, container.mounts), {"name": "tmp", "emptyDir": {}}],
        **account,
        **scheduling,
    }
    if grace_seconds is not None:
        spec["terminationGracePeriodSeconds"] = grace_seconds
    if extra.image_pull_secrets:
        spec["imagePullSecrets"] = canonical(extra.image_pull_secrets)
    return {"metadata": metadata, "spec": spec}


def _container(container: Container, extra: PodTemplate) -> dict[str, Any]:
    out: dict[str, Any] = {
        "name": container.name,
        "image": container.image,
        "ports": [{"name": name, "containerPort": port, "protocol": "TCP"} for name, port in container.ports.items()],
        "securityContext": CONTAINED,
        "volumeMounts": [
            *({"name": m.volume, "mountPath": m.path, "readOnly": True} for m in container.mounts),
            *({"name": claim, "mountPath": path} for claim, path in container.claims.items()),
            {"name": "tmp", "mountPath": "/tmp"},  # noqa: S108
        ],
        **container.probes,
    }
    optional = {
        "args": list(container.args),
        "env": _variables(container, extra),
        "imagePullPolicy": container.pull_policy,
        "resources": container.resources,
        "envFrom": canonical(extra.env_from),
    }
    return out | {key: value for key, value in optional.items() if value}


def _variables(container: Container, extra: PodTemplate) -> list[dict[str, Any]]:
    """Ours by name, each replaced by the user's of that name, then the user's others; fields first: others refer to them."""
    fields: list[dict[str, Any]] = [
        {"name": name, "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": path}}}
        for name, path in sorted(container.fields.items())
    ]
    ours = fields + [{"name": name, "value": value} for name, value in sorted(container.env.items())]
    given = {entry["name"]: entry for entry in canonical(extra.env)}
    return [*(given.pop(entry["name"], entry) for entry in ours), *given.values()]


def _volume(mount: Mount) -> dict[str, Any]:
    secret: dict[str, Any] = {"secretName": mount.secret, "defaultMode": 0o440}
    if mount.optional:
        secret["optional"] = True
    return {"name": mount.volume, "secret": secret}
