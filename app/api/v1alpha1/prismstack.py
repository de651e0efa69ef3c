"""PrismStack: a whole Prism from one object: proxy, admin, patterns, backends."""

from typing import Annotated, ClassVar

from pydantic import Field, StringConstraints

from app.api.kinds import Kind
from app.api.v1alpha1.common import API_VERSION, Column, Definition, Model, Resource, Scale, Status, list_map
from app.api.v1alpha1.scheduling import Affinity
from app.api.v1alpha1.stackparts import AdminSpec, Observability, ProxySpec, StackBackend, StackNamespace, StackPattern

MOST_PATTERNS = 1000


class PrismStackSpec(Model):
    """A whole Prism."""

    proxy: ProxySpec = ProxySpec()
    """The proxy, which applications talk to."""
    admin: AdminSpec | None = None
    """The control plane; none where it is not given."""
    patterns: Annotated[list[StackPattern], Field(max_length=MOST_PATTERNS, json_schema_extra=list_map("name"))] = []
    """Pattern runners, one PatternRunner each."""
    backends: Annotated[list[StackBackend], Field(max_length=100, json_schema_extra=list_map("name"))] = []
    """Backends that the patterns use, one BackendConfig each."""
    namespaces: Annotated[list[StackNamespace], Field(max_length=1000, json_schema_extra=list_map("name"))] = []
    """Prism namespaces. Accepted; nothing is made of them yet."""
    observability: Observability | None = None
    """What the pods tell of themselves."""
    affinity: Affinity | None = None
    """Which nodes and neighbours the proxy's pods want or avoid; placement.affinity and runnerSpec.affinity win over it."""


class ComponentStatus(Model):
    """One part of the stack."""

    name: Annotated[str, StringConstraints(max_length=128)]
    """proxy, admin, pattern/<name> or backend/<name>."""
    ready: int
    """Pods that are ready; of a backend, 1 where it is."""
    desired: int
    """Pods that should be; of a backend, 1."""
    message: str = ""
    """How far it is, or what keeps it from being ready."""


class Summary(Model):
    """Ready of wanted, as text for kubectl get."""

    proxy: str | None = None
    admin: str | None = None
    patterns: str | None = None
    backends: str | None = None


class PrismStackStatus(Status):
    """What the operator sees of the stack."""

    components: Annotated[list[ComponentStatus], Field(json_schema_extra=list_map("name"))] = []
    """Every part, and why it is not ready."""
    summary: Summary | None = None
    """Ready of wanted, as text."""
    replicas: int | None = None
    """Pods of the proxy that exist."""
    ready_replicas: int | None = None
    """Pods of the proxy that are ready."""
    selector: str | None = None
    """Selects the proxy's pods; kubectl scale reads it."""


class PrismStack(Resource):
    """A whole Prism from one object: proxy, admin, a PatternRunner for each pattern, a BackendConfig for each backend."""

    definition: ClassVar[Definition] = Definition(
        kind=Kind(API_VERSION, "PrismStack", "prismstacks"),
        short_names=("pstack",),
        columns=(
            Column("Phase", ".status.phase"),
            Column("Ready", '.status.conditions[?(@.type=="Ready")].status'),
            Column("Proxy", ".status.summary.proxy"),
            Column("Admin", ".status.summary.admin"),
            Column("Patterns", ".status.summary.patterns"),
            Column("Backends", ".status.summary.backends"),
            Column("Reason", '.status.conditions[?(@.type=="Ready")].reason'),
            Column("Message", '.status.conditions[?(@.type=="Ready")].message', wide=True),
            Column("Age", ".metadata.creationTimestamp", "date"),
        ),
        scale=Scale(spec=".spec.proxy.replicas"),
        rules=(
            (
                "self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$') && self.metadata.name.size() <= 40",
                "metadata.name: must start with a letter, hold only a-z, 0-9 and -, and be at most 40 characters long",
            ),
            (
                "!has(self.spec.patterns) || !self.spec.patterns.exists(p, ['-proxy', '-admin', '-admin-peers'].exists(s,"
                " p.name.endsWith(s) && p.name.size() == self.metadata.name.size() + s.size()"
                " && self.metadata.name.startsWith(p.name.substring(0, p.name.size() - s.size()))))",
                "spec.patterns: <stack>-proxy, <stack>-admin and <stack>-admin-peers are names of the stack's own parts",
            ),
        ),
    )
    spec: PrismStackSpec
    status: PrismStackStatus | None = None
