"""PrismStack: proxy and admin as workloads of its own, patterns and backends as parents of their own."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from app.api.kinds import AUTOSCALER, DEPLOYMENT, SECRET, STATEFUL_SET
from app.api.v1alpha1.prismstack import PrismStack, PrismStackSpec
from app.children import workload
from app.children.admin import CLAIM, admin_pod, admin_services, admin_set, odd
from app.children.autoscaler import autoscaled, autoscaler, wanted_replicas
from app.children.disruption import disruption_budget
from app.children.metadata import Child
from app.children.parts import backend_config, pattern_runner
from app.children.pod import HASH, restarted
from app.children.proxy import proxy_pod, proxy_service, traced
from app.contract import Context, Desired, Object, Observed, read
from app.hooks.stackscope import CERTIFICATE, admin_of, candidates, named_secrets, owner_of
from app.hooks.stackstatus import State, status
from app.status.ownership import conflicts
from app.status.presence import missing, recheck

QUORUM_LOSS = "prism.io/allow-quorum-loss"
IMMUTABLE = ("serviceName", "selector", "podManagementPolicy", "volumeClaimTemplates")


def sync(parent: PrismStack, observed: Observed, context: Context) -> Desired:
    """The children and the status of a stack."""
    return Stack(parent, observed, context).desired()


@dataclass(frozen=True)
class Stack:
    """One sync, step by step; each property is one thing that is found out once."""

    parent: PrismStack
    observed: Observed
    context: Context

    def desired(self) -> Desired:
        taken = conflicts(candidates(self.spec, self.name), self.namespace, self.parent.metadata.uid, self.observed)
        gone = {(kind.kind, name) for kind, name in taken}
        if (DEPLOYMENT.kind, f"{self.name}-proxy") in gone:  # an autoscaler would scale what is somebody else's
            gone.add((AUTOSCALER.kind, f"{self.name}-proxy"))
        children = [child for child in self.children if (child["kind"], child["metadata"]["name"]) not in gone]
        absent = missing(children, self.namespace, self.observed)
        state = State(
            conflicts=taken,
            proxy=self.proxy,
            admin=self.admin,
            parts=self.parts,
            absent=absent,
            immutable=self.immutable,
            unheard=self.unheard,
            secrets=tuple(self.wanting),
        )
        again = recheck(absent, self.parent.status.conditions if self.parent.status else ())
        return Desired(children, status(self.parent, state, self.observed, self.context), again)

    @property
    def spec(self) -> PrismStackSpec:
        return self.parent.spec

    @property
    def name(self) -> str:
        return self.parent.metadata.name

    @property
    def namespace(self) -> str:
        return self.parent.metadata.namespace

    @cached_property
    def children(self) -> list[Child]:
        proxy, scaling = owner_of(self.parent, "proxy"), self.spec.proxy.autoscaling
        name = f"{self.name}-proxy"
        out = [self.proxy, proxy_service(proxy, name, self.spec), disruption_budget(proxy, name)]
        if scaling and autoscaled(scaling):
            out.append(autoscaler(proxy, name, scaling))
        own = admin_of(self.spec)
        if self.admin is not None and own:
            admin, name = owner_of(self.parent, "admin"), f"{self.name}-admin"
            out += [self.admin, *admin_services(admin, name, own), disruption_budget(admin, name)]
        return [*out, *self.parts]

    @cached_property
    def _proxy(self) -> tuple[Child, bool]:
        own = self.spec.proxy
        admin = admin_of(self.spec)
        reached = f"{self.name}-admin.{self.namespace}.svc:{admin.port}" if admin else ""
        notes = {**restarted(self.parent.metadata.annotations), **self.certificate}
        owner, name = owner_of(self.parent, "proxy"), f"{self.name}-proxy"
        template = proxy_pod(owner, name, self.spec, reached, notes, self.context.settings.image_registry)
        wanted = wanted_replicas(own.replicas, own.autoscaling)
        manager = self.context.settings.field_manager
        replicas = workload.replicas_to_emit(wanted, autoscaled(own.autoscaling), self.live_proxy, manager)
        child = workload.deployment(owner, name, template, replicas)
        return child, bool(workload.keep_immutable(child, self.live_proxy, "selector"))

    @property
    def proxy(self) -> Child:
        return self._proxy[0]

    @property
    def live_proxy(self) -> Object | None:
        return self.observed.children.get(DEPLOYMENT, self.namespace, f"{self.name}-proxy")

    @cached_property
    def certificate(self) -> dict[str, str]:
        """Rolls the proxy when its certificate changes; one that is gone, or half of it, rolls nothing."""
        if not self.spec.proxy.tls:
            return {}
        found = self.secret(self.spec.proxy.tls.secret_ref.name)
        if found is not None and not self.lacking(found):
            return {HASH: workload.digest(found.data or {})}
        template = read(self.live_proxy.spec)["template"] if self.live_proxy else {}
        return {HASH: template.get("metadata", {}).get("annotations", {}).get(HASH, "none")}

    @property
    def wanting(self) -> Iterator[tuple[str, str]]:
        """Reason and message for each Secret that the stack's own pods need and that is not there, or not whole."""
        for field, name in named_secrets(self.spec):
            found = self.secret(name)
            if found is None:
                yield "SecretNotFound", f"{field}: Secret {name} does not exist in namespace {self.namespace}"
            elif field == CERTIFICATE and self.lacking(found):
                yield "SecretKeyMissing", f"{field}: Secret {name} has no {' and no '.join(self.lacking(found))}"

    def lacking(self, certificate: Object) -> list[str]:
        return [key for key in ("tls.crt", "tls.key") if not (certificate.data or {}).get(key)]

    def secret(self, name: str) -> Object | None:
        return self.observed.related.get(SECRET, self.namespace, name)

    @cached_property
    def _admin(self) -> tuple[Child, tuple[str, ...]] | None:
        own = admin_of(self.spec)
        if own is None:
            return None
        owner, name = owner_of(self.parent, "admin"), f"{self.name}-admin"
        notes = restarted(self.parent.metadata.annotations)
        registry = self.context.settings.image_registry
        template = admin_pod(owner, name, self.spec, own, self.members, notes, registry, self.claim)
        child = admin_set(owner, name, template, self.members, own.storage)
        return child, workload.keep_immutable(child, self.live_admin, *IMMUTABLE)

    @property
    def admin(self) -> Child | None:
        return self._admin[0] if self._admin else None

    @property
    def immutable(self) -> tuple[str, ...]:
        """What should change and cannot."""
        fields = self._admin[1] if self._admin else ()
        return (*(["Deployment selector"] if self._proxy[1] else []), *(f"StatefulSet {field}" for field in fields))

    @property
    def live_admin(self) -> Object | None:
        return self.observed.children.get(STATEFUL_SET, self.namespace, f"{self.name}-admin")

    @cached_property
    def members(self) -> int:
        return self.live_members if self.unheard else odd(self.spec.admin.replicas if self.spec.admin else 1)

    @property
    def claim(self) -> str:
        """The volume that the pods mount: the StatefulSet's own, since it cannot get another."""
        claims = (
            read(self.live_admin.spec).get("volumeClaimTemplates") or [] if self.live_admin else [{"metadata": {"name": CLAIM}}]
        )
        return str(claims[0]["metadata"]["name"]) if claims else ""

    @property
    def live_members(self) -> int:
        number = read(self.live_admin.spec).get("replicas", 1) if self.live_admin else 0
        return int(number)

    @cached_property
    def unheard(self) -> str:
        """Why the number of members is not the one that was asked for; empty where it is."""
        own = admin_of(self.spec)
        quorum = self.live_members // 2 + 1
        if own is None or odd(own.replicas) >= quorum or self.parent.metadata.annotations.get(QUORUM_LOSS) == "true":
            return ""
        return (
            f"spec.admin.replicas: {odd(own.replicas)} of {self.live_members} members are fewer than their quorum of"
            f" {quorum} and could not elect a leader; go there in smaller steps, or annotate {QUORUM_LOSS}=true to lose it"
        )

    @cached_property
    def parts(self) -> list[Child]:
        runners, configs = owner_of(self.parent, "pattern"), owner_of(self.parent, "backend")
        notes, names = restarted(self.parent.metadata.annotations), {backend.name for backend in self.spec.backends}
        made: list[Child] = [
            pattern_runner(runners, pattern, names, self.traces(pattern.name), notes) for pattern in self.spec.patterns
        ]
        return [*made, *(backend_config(configs, backend) for backend in self.spec.backends)]

    def traces(self, name: str) -> dict[str, Any]:
        return traced(self.spec.observability, name)
