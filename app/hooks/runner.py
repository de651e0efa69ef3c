"""PatternRunner (and PrismPattern, of the same spec): a Deployment with its Service, configuration, bindings, autoscaler."""

from dataclasses import dataclass
from functools import cached_property

from app.api.kinds import AUTOSCALER, DEPLOYMENT, POD, SECRET, Kind
from app.api.v1alpha1.prismpattern import Runner
from app.backends.patterns import pattern_of
from app.backends.runnerconfig import runner_config
from app.bindings.answers import Answer, answer
from app.bindings.slots import BACKENDS_JSON, asks, slot_secret
from app.bindings.values import decode, entry
from app.children import secret, workload
from app.children.autoscaler import autoscaled, autoscaler, wanted_replicas
from app.children.metadata import Child, Owner
from app.children.pod import HASH, restarted
from app.children.runnerpod import RUNNER_JSON, runner_pod
from app.children.service import service
from app.contract import Context, Desired, Object, Observed, read
from app.hooks.runnerscope import candidates, owner_of
from app.hooks.runnerstatus import State, status
from app.status.ownership import conflicts
from app.status.presence import missing, recheck


def sync(parent: Runner, observed: Observed, context: Context) -> Desired:
    """The children and the status of a runner."""
    return Sync(parent, observed, context).desired()


@dataclass(frozen=True)
class Sync:
    """One sync, step by step; each property is one thing that is found out once."""

    parent: Runner
    observed: Observed
    context: Context

    def desired(self) -> Desired:
        children = [child for child in self.all_children if self.mine(child)]
        state = State(
            conflicts=self.taken,
            answers=self.answers,
            deployment=self.live,
            template=self.template_hash,
            replicas=self.deployment["spec"].get("replicas") if self.deployment else None,
            autoscaler=self.observed.children.get(AUTOSCALER, self.namespace, self.name),
            pods=self.pods,
            missing=(*missing(children, self.namespace, self.observed), *self.exchanged),
            immutable=self.kept_selector,
            selector=self.owner.selector,
        )
        again = recheck(state.missing, self.parent.status.conditions if self.parent.status else ())
        return Desired(children, status(self.parent, state, self.context), again)

    @property
    def name(self) -> str:
        return self.parent.metadata.name

    @property
    def namespace(self) -> str:
        return self.parent.metadata.namespace

    @cached_property
    def owner(self) -> Owner:
        return owner_of(self.parent)

    @cached_property
    def live(self) -> Object | None:
        return self.observed.children.get(DEPLOYMENT, self.namespace, self.name)

    @property
    def pods(self) -> tuple[Object, ...]:
        """Its own pods: others may bear the label that the customize hook asks for."""
        selector = self.owner.selector.items()
        return tuple(pod for pod in self.observed.related.all(POD) if selector <= pod.metadata.labels.items())

    @cached_property
    def answers(self) -> tuple[Answer, ...]:
        wanted = asks(self.parent.spec, self.namespace)
        operator = self.context.settings.operator_namespace
        return tuple(answer(ask, self.namespace, self.name, self.observed, operator) for ask in wanted)

    @cached_property
    def taken(self) -> list[tuple[Kind, str]]:
        wanted = candidates(self.parent.spec, self.name, self.namespace)
        return conflicts(wanted, self.namespace, self.parent.metadata.uid, self.observed)

    def mine(self, child: Child) -> bool:
        return not any(kind.kind == child["kind"] and name == child["metadata"]["name"] for kind, name in self.taken)

    @cached_property
    def bound(self) -> bool:
        """Whether every required slot has values, be they the last good ones."""
        return all(found.values is not None for found in self.answers if found.ask.required)

    @cached_property
    def all_children(self) -> list[Child]:
        own = self.parent.spec.service
        out: list[Child] = [service(self.owner, self.name, own.port, own.port, own.type, own.annotations), *self.bindings]
        if self.config is not None:
            out.append(self.config)
        if self.deployment is not None:
            out.append(self.deployment)
            scaling = self.parent.spec.autoscaling
            if scaling and autoscaled(scaling) and (DEPLOYMENT, self.name) not in self.taken:
                out.append(autoscaler(self.owner, self.name, scaling))
        return out

    @cached_property
    def bindings(self) -> list[Child]:
        """The binding Secrets. One whose type changed is left out once, so that it is deleted and can come back."""
        return [child for child in self._bindings if not self.replaced(child)]

    @cached_property
    def _bindings(self) -> list[Child]:
        pairs = ((found, slot_secret(self.name, found.ask.slot)) for found in self.answers)
        return [
            secret.binding(self.owner, name, found.values)
            for found, name in pairs
            if found.values is not None and not found.ask.builtin
        ]

    @property
    def exchanged(self) -> list[str]:
        """The Secrets that are left out so that they can come back in another type."""
        return [f"Secret {child['metadata']['name']}" for child in self._bindings if self.replaced(child)]

    def replaced(self, child: Child) -> bool:
        return secret.replaced(child, self.observed.children.get(SECRET, self.namespace, child["metadata"]["name"]))

    @cached_property
    def config(self) -> Child | None:
        """The configuration Secret; while a required slot has nothing to offer, the one that is there already."""
        name = f"{self.name}-config"
        if self.bound:
            values = {found.ask.slot: found.values for found in self.answers if found.values is not None}
            spec = self.parent.spec
            files = {
                BACKENDS_JSON: {slot: entry(each) for slot, each in values.items()},
                RUNNER_JSON: runner_config(self.name, pattern_of(spec.pattern), spec.pattern, values, spec.config),
            }
            return secret.secret(self.owner, name, {file: secret.json_text(body) for file, body in files.items()})
        there = self.observed.children.get(SECRET, self.namespace, name)
        return secret.secret(self.owner, name, decode(there.data)) if there is not None else None

    @cached_property
    def hash(self) -> str:
        """Rolls the pods when what they read changes; the observed one while that is not known, or not there yet."""
        if (not self.settled or self.exchanged) and self.live is not None:
            annotations = read(self.live.spec)["template"]["metadata"].get("annotations", {})
            return str(annotations.get(HASH, ""))
        return workload.digest([self.config["data"] if self.config else {}, *(child["data"] for child in self._bindings)])

    @cached_property
    def settled(self) -> bool:
        """Whether all that the pods read is known and ours. Until then none is started, and those that run stay as they are."""
        return self.bound and not any(kind is SECRET for kind, _ in self.taken)

    @cached_property
    def _deployment(self) -> tuple[Child, bool] | None:
        if self.live is None and not self.settled:
            return None
        held = self.live.metadata.annotations.get(workload.TEMPLATE) if self.live is not None and not self.settled else None
        child = workload.deployment(self.owner, self.name, self.template, self.replicas(), held)
        return child, bool(workload.keep_immutable(child, self.live, "selector"))

    @property
    def deployment(self) -> Child | None:
        return self._deployment[0] if self._deployment else None

    @property
    def kept_selector(self) -> bool:
        return self._deployment[1] if self._deployment else False

    def replicas(self) -> int | None:
        scaling = self.parent.spec.autoscaling
        wanted = wanted_replicas(self.parent.spec.replicas, scaling)
        return workload.replicas_to_emit(wanted, autoscaled(scaling), self.live, self.context.settings.field_manager)

    @cached_property
    def template_hash(self) -> str:
        return workload.digest(self.deployment["spec"]["template"]) if self.deployment else ""

    @cached_property
    def template(self) -> dict[str, object]:
        notes = {HASH: self.hash, **restarted(self.parent.metadata.annotations)}
        return runner_pod(self.owner, self.parent.spec, notes, self.context.settings.image_registry)
