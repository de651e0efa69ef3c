"""The table of controllers as Metacontroller's own objects."""

from typing import Any

from app.controllers import Controller

HOOK_TIMEOUT = "10s"
TOKENS = {"name": "prism-operator-tokens", "namespace": "prism-operator"}
Manifest = dict[str, Any]


def controller(row: Controller, release: str, base: Manifest | str, *, token: bool) -> Manifest:
    """A CompositeController or DecoratorController. ``base`` is the hooks' URL, or the Service that they are behind.

    With ``token`` Metacontroller shows the bearer token of the Secret that an install step makes.
    """
    kind = row.parent.definition.kind
    hooks = {hook: _hook(row, hook, release, base, token=token) for hook in row.hooks}
    if row.flavor == "decorator":
        resource = {"apiVersion": kind.api_version, "resource": kind.plural, "ignoreStatusChanges": True}
        owned: Manifest = {"resources": [resource], "attachments": _owned(row)}
    else:
        parent = {"apiVersion": kind.api_version, "resource": kind.plural, "ignoreStatusChanges": True}
        owned = {"parentResource": parent, "childResources": _owned(row), "generateSelector": True}
    return {
        "apiVersion": "metacontroller.k8s.io/v1alpha1",
        "kind": "CompositeController" if row.flavor == "composite" else "DecoratorController",
        "metadata": {"name": row.name, "labels": {"app.kubernetes.io/part-of": "prism-operator"}},
        "spec": {**owned, "resyncPeriodSeconds": row.resync_seconds, "hooks": hooks},
    }


def _owned(row: Controller) -> list[Manifest]:
    strategy = {"updateStrategy": {"method": "InPlace"}}
    return [{"apiVersion": kind.api_version, "resource": kind.plural, **strategy} for kind in row.children]


def _hook(row: Controller, hook: str, release: str, base: Manifest | str, *, token: bool) -> Manifest:
    """One hook. The release in the path makes Metacontroller ask for every parent again when it changes."""
    path = f"/hooks/{row.name}/{hook}" + (f"?release={release}" if release else "")
    target: Manifest = {"url": base.rstrip("/") + path} if isinstance(base, str) else {"service": base, "path": path}
    if token:
        target["authorization"] = {"type": "Bearer", "secretRef": {**TOKENS, "key": "hook"}}
    return {"version": "v2", "webhook": {**target, "timeout": HOOK_TIMEOUT}}
