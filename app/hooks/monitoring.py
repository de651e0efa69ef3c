"""ServiceMonitors for a stack that shows metrics. Optional: only where the Prometheus operator is installed."""

from collections.abc import Iterator

from app.api.kinds import SERVICE_MONITOR
from app.api.v1alpha1.prismstack import PrismStack
from app.children.admin import GRPC, METRICS, PEERS, RAFT
from app.children.metadata import Child
from app.children.proxy import PORT, metrics_port
from app.children.servicemonitor import service_monitor
from app.contract import Context, Desired, Observed, Related
from app.hooks.stackscope import admin_of, owner_of
from app.status.ownership import conflicts


def customize(parent: PrismStack, context: Context) -> tuple[Related, ...]:  # noqa: ARG001
    """The names that it may create."""
    name = parent.metadata.name
    return (Related(SERVICE_MONITOR, parent.metadata.namespace, (f"{name}-admin", f"{name}-proxy")),)


def sync(parent: PrismStack, observed: Observed, context: Context) -> Desired:  # noqa: ARG001
    """The ServiceMonitors of a stack's proxy and admin; a name that is taken is left alone."""
    meta, made = parent.metadata, list(monitors(parent))
    names = [(SERVICE_MONITOR, child["metadata"]["name"]) for child in made]
    taken = {name for _, name in conflicts(names, meta.namespace, meta.uid, observed)}
    return Desired([child for child in made if child["metadata"]["name"] not in taken], None)


def monitors(parent: PrismStack) -> Iterator[Child]:
    """What is to be scraped, where observability is on."""
    spec, name = parent.spec, parent.metadata.name
    proxy = metrics_port(spec.observability, {PORT})
    if proxy:
        owner = owner_of(parent, "proxy")
        yield service_monitor(owner, f"{name}-proxy", owner.selector, proxy)
    if proxy and admin_of(spec):
        owner = owner_of(parent, "admin")
        port = metrics_port(spec.observability, {GRPC, RAFT}) or METRICS
        yield service_monitor(owner, f"{name}-admin", {**owner.selector, **PEERS}, port)
