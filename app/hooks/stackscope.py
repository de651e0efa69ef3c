"""What a stack may own, under which labels, and what else it looks at."""

from collections.abc import Iterator

from app.api import kinds
from app.api.kinds import AUTOSCALER, DEPLOYMENT, POD, RESOURCE_QUOTA, SECRET, SERVICE, STATEFUL_SET, Kind
from app.api.v1alpha1.prismstack import PrismStack, PrismStackSpec
from app.api.v1alpha1.stackparts import AdminSpec
from app.children.autoscaler import autoscaled
from app.children.metadata import Owner, label_value
from app.children.parts import CONFIG, RUNNER
from app.contract import Context, Related

OWNED = (DEPLOYMENT, STATEFUL_SET, SERVICE, AUTOSCALER, kinds.DISRUPTION_BUDGET, RUNNER, CONFIG)
CERTIFICATE = "spec.proxy.tls.secretRef"


def customize(parent: PrismStack, context: Context) -> tuple[Related, ...]:
    """Every name it may create, the Secrets it names, the pods of its proxy and admin, the quotas of its namespace."""
    spec, name, namespace = parent.spec, parent.metadata.name, parent.metadata.namespace
    names: dict[Kind, set[str]] = {kind: set() for kind in (*OWNED, SECRET)}
    for kind, wanted in candidates(spec, name):
        names[kind].add(wanted)
    names[SECRET] |= {secret for _, secret in named_secrets(spec)}
    out = [Related(kind, namespace, tuple(sorted(found))) for kind, found in names.items() if found]
    if context.settings.watch_pods:
        roles = ("proxy", "admin") if admin_of(spec) else ("proxy",)
        out += [Related(POD, namespace, labels=owner_of(parent, role).selector) for role in roles]
        out += [Related(RESOURCE_QUOTA, namespace)] if admin_of(spec) else []
    return tuple(out)


def candidates(spec: PrismStackSpec, stack: str) -> Iterator[tuple[Kind, str]]:
    """Every object that a stack of this spec may create."""
    yield from ((kind, f"{stack}-proxy") for kind in (DEPLOYMENT, SERVICE, kinds.DISRUPTION_BUDGET))
    if autoscaled(spec.proxy.autoscaling):
        yield AUTOSCALER, f"{stack}-proxy"
    if admin_of(spec):
        yield from ((kind, f"{stack}-admin") for kind in (STATEFUL_SET, SERVICE, kinds.DISRUPTION_BUDGET))
        yield SERVICE, f"{stack}-admin-peers"
    yield from ((RUNNER, pattern.name) for pattern in spec.patterns)
    yield from ((CONFIG, backend.name) for backend in spec.backends)


def named_secrets(spec: PrismStackSpec) -> Iterator[tuple[str, str]]:
    """The Secrets without which the stack's own pods do not start, each with the field that names it."""
    if spec.proxy.tls:
        yield CERTIFICATE, spec.proxy.tls.secret_ref.name
    for role, part in (("proxy", spec.proxy), ("admin", admin_of(spec))):
        extra = part.pod_template if part else None
        for variable in extra.env if extra else ():
            key = variable.value_from.secret_key_ref if variable.value_from else None
            if key and not key.optional:
                yield f"spec.{role}.podTemplate.env.{variable.name}", key.name
        for source in extra.env_from if extra else ():
            if source.secret_ref and not source.secret_ref.optional:
                yield f"spec.{role}.podTemplate.envFrom", source.secret_ref.name


def admin_of(spec: PrismStackSpec) -> AdminSpec | None:
    """The admin, where there is to be one."""
    return spec.admin if spec.admin and spec.admin.enabled else None


def owner_of(parent: PrismStack, role: str) -> Owner:
    """The labels of a stack's children; the plain ones are those that people and affinity terms select."""
    stack = label_value(parent.metadata.name)
    plain = {"app": f"prism-{role}", "component": f"prism-{role}", "stack": stack, "prism.io/stack": stack}
    return Owner(parent.metadata.name, parent.metadata.namespace, role, plain)
