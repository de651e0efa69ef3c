"""The pod of a runner: its image, what it is told, and the Secrets that it reads."""

from typing import Any

from app.api.v1alpha1.patternrunner import RunnerSpec
from app.bindings.slots import BACKENDS_JSON, Ask, asks, slot_secret
from app.children.metadata import Owner
from app.children.placement import resources, scheduling
from app.children.pod import Container, Mount, image, pod_template

RUNNER_JSON = "runner.json"


def runner_pod(owner: Owner, spec: RunnerSpec, annotations: dict[str, str], registry: str) -> dict[str, Any]:
    """The pod template. It follows from the spec and the annotations alone, so what fails elsewhere never rolls it."""
    layers = [spec.runner_spec, spec.placement]
    runner = f"{spec.pattern.replace('_', '-')}-runner"
    container = Container(
        name=runner,
        image=image(spec.image, runner, registry),
        ports={"http": spec.service.port},
        args=(f"-config=/config/{RUNNER_JSON}",),
        env={"BACKEND_CONFIG_PATH": f"/config/{BACKENDS_JSON}", "SERVICE_BINDING_ROOT": "/bindings"},
        pull_policy=spec.image_pull_policy,
        resources=resources(layers, spec.resources),
        mounts=mounts(owner.name, asks(spec, owner.namespace)),
    )
    return pod_template(owner, container, scheduling(layers, owner.selector), spec.pod_template, annotations)


def mounts(name: str, wanted: tuple[Ask, ...]) -> tuple[Mount, ...]:
    """The configuration, and a folder for each slot. Slots do not hold up a pod: the configuration says all they do."""
    slots = (ask.slot for ask in wanted if not ask.builtin)
    return (
        Mount("config", f"{name}-config", "/config"),
        *(Mount(f"binding-{slot.replace('_', '-')}", slot_secret(name, slot), f"/bindings/{slot}", True) for slot in slots),
    )
