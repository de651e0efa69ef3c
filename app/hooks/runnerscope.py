"""What a runner may own, under which labels, and what else it looks at."""

from collections import defaultdict

from app.api.kinds import AUTOSCALER, DEPLOYMENT, NAMESPACE, POD, SECRET, SERVICE, Kind
from app.api.v1alpha1.patternrunner import RunnerSpec
from app.api.v1alpha1.prismpattern import Runner
from app.bindings.slots import (
    BACKEND,
    CONFIG,
    asks,
    backend_secret,
    binding_name,
    service_of,
    slot_secret,
)  # fmt: skip
from app.children.autoscaler import autoscaled
from app.children.metadata import Owner, label_value
from app.contract import Context, Related

COMPONENT = "runner"
OWNED = (DEPLOYMENT, SERVICE, SECRET, AUTOSCALER)


def customize(parent: Runner, context: Context) -> tuple[Related, ...]:
    """Every name it may create, the backends it names and their bindings, the Services and Secrets of ``discover``, its pods."""
    spec, meta = parent.spec, parent.metadata
    wanted = asks(spec, meta.namespace)
    refs = sorted({ask.ref for ask in wanted if ask.ref})
    names: dict[tuple[Kind, str], set[str]] = defaultdict(set)
    for kind, name in candidates(spec, meta.name, meta.namespace):
        names[kind, meta.namespace].add(name)
    for ref in refs:
        names[SECRET, meta.namespace].add(binding_name(ref))
        names[SECRET, context.settings.operator_namespace].add(backend_secret(ref))
        names[CONFIG, meta.namespace].add(ref)
        names[BACKEND, ""].add(ref)
        names[NAMESPACE, ""].add(meta.namespace)
    for ask in wanted:
        if ask.discover:
            service, at = service_of(ask.discover, meta.namespace)
            names[SERVICE, at].add(service)
            if ask.discover.secret:
                names[SECRET, meta.namespace].add(ask.discover.secret)
    out = [Related(kind, at, tuple(sorted(found))) for (kind, at), found in names.items()]
    if context.settings.watch_pods:
        # One short label: Metacontroller parses the selector for every parent at every event of a pod.
        out.append(Related(POD, meta.namespace, labels={"runner": meta.name}))
    return tuple(out)


def candidates(spec: RunnerSpec, name: str, namespace: str) -> list[tuple[Kind, str]]:
    """Every object that a runner of this spec may create."""
    secrets = [f"{name}-config", *(slot_secret(name, ask.slot) for ask in asks(spec, namespace) if not ask.builtin)]
    scaled = [(AUTOSCALER, name)] if autoscaled(spec.autoscaling) else []
    return [(DEPLOYMENT, name), (SERVICE, name), *((SECRET, each) for each in secrets), *scaled]


def owner_of(parent: Runner) -> Owner:
    """The labels of a runner's children; the plain ones are those that people and affinity terms select."""
    spec, name = parent.spec, parent.metadata.name
    plain = {"app": "prism-runner", "component": "prism-runner", "pattern": label_value(spec.pattern), "runner": name}
    stack = parent.metadata.labels.get("prism.io/stack")
    if stack:
        plain |= {"stack": label_value(stack), "prism.io/stack": label_value(stack)}
    return Owner(
        name,
        parent.metadata.namespace,
        COMPONENT,
        {**plain, "prism.io/pattern": label_value(spec.pattern)},
    )
