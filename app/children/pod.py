"""The pod of a runner: hardened by default, its configuration and bindings mounted."""

from dataclasses import dataclass, field
from typing import Any

from app.api.v1alpha1.podspec import PodTemplate, canonical
from app.children.metadata import Owner, common_labels

USER = 65532
HASH, RESTARTED = "prism.io/config-hash", "prism.io/restartedAt"
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
    name: str
    image: str
    port: int
    args: list[str]
    env: dict[str, str] = field(default_factory=dict)
    pull_policy: str | None = None
    resources: dict[str, Any] = field(default_factory=dict)
    mounts: tuple[Mount, ...] = ()


def pod_template(
    owner: Owner,
    container: Container,
    scheduling: dict[str, Any],
    extra: PodTemplate | None,
    annotations: dict[str, str],
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
    if extra.image_pull_secrets:
        spec["imagePullSecrets"] = canonical(extra.image_pull_secrets)
    return {"metadata": metadata, "spec": spec}


def _container(container: Container, extra: PodTemplate) -> dict[str, Any]:
    given = {entry.name for entry in extra.env}
    env = [{"name": name, "value": value} for name, value in sorted(container.env.items()) if name not in given]
    out: dict[str, Any] = {
        "name": container.name,
        "image": container.image,
        "args": container.args,
        "env": [*env, *canonical(extra.env)],
        "ports": [{"name": "http", "containerPort": container.port, "protocol": "TCP"}],
        "securityContext": CONTAINED,
        "volumeMounts": [
            *({"name": m.volume, "mountPath": m.path, "readOnly": True} for m in container.mounts),
            {"name": "tmp", "mountPath": "/tmp"},  # noqa: S108
        ],
    }
    if container.pull_policy:
        out["imagePullPolicy"] = container.pull_policy
    if container.resources:
        out["resources"] = container.resources
    if extra.env_from:
        out["envFrom"] = canonical(extra.env_from)
    return out


def _volume(mount: Mount) -> dict[str, Any]:
    secret: dict[str, Any] = {"secretName": mount.secret, "defaultMode": 0o440}
    if mount.optional:
        secret["optional"] = True
    return {"name": mount.volume, "secret": secret}
