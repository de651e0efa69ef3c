"""The table: one row a controller. Routes, manifests, RBAC and the guard's rules follow from it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from app.api.kinds import (
    AUTOSCALER,
    CONFIG_MAP,
    DEPLOYMENT,
    ENDPOINT_SLICE,
    NAMESPACE,
    POD,
    RESOURCE_QUOTA,
    SECRET,
    SERVICE,
    SERVICE_MONITOR,
    Kind,
)
from app.api.v1alpha1.backendconfig import BackendConfig
from app.api.v1alpha1.common import Resource
from app.api.v1alpha1.patternrunner import PatternRunner
from app.api.v1alpha1.prismbackend import PrismBackend
from app.api.v1alpha1.prismpattern import PrismPattern
from app.api.v1alpha1.prismstack import PrismStack
from app.contract import Context, Desired, Observed, Related, Wish
from app.guard import Rules
from app.hooks import backend, backendconfig, monitoring, runner, runnerscope, stack, stackscope

Sync = Callable[[Any, Observed, Context], Desired]
Effect = Callable[[Any, Observed, Context], Wish | None]
Customize = Callable[[Any, Context], tuple[Related, ...]]


@dataclass(frozen=True)
class Controller:
    """One Metacontroller object: its parent, what it owns and looks at, and the functions that answer for it."""

    name: str
    parent: type[Resource]
    children: tuple[Kind, ...]
    sync: Sync
    related: tuple[Kind, ...] = ()
    customize: Customize | None = None
    finalize: Sync | None = None
    wish: Effect | None = None
    """What it wants of the registry, before it says what should exist."""
    flavor: Literal["composite", "decorator"] = "composite"
    resync_seconds: int = 600
    rules: Rules = field(init=False)

    def __post_init__(self) -> None:
        kind = self.parent.definition.kind
        status = self.parent.model_fields["status"].annotation
        models = [status, *getattr(status, "__args__", ())]
        fields = next(model.model_fields for model in models if hasattr(model, "model_fields"))
        rules = Rules(
            children={(child.api_version, child.kind): child for child in self.children},
            parent_namespaced=kind.namespaced,
            status_fields=frozenset(info.alias or name for name, info in fields.items()),
            related=frozenset(self.related),
            composite=self.flavor == "composite",
        )
        object.__setattr__(self, "rules", rules)

    @property
    def hooks(self) -> tuple[str, ...]:
        """The hooks that it answers: sync, and customize and finalize where it has them."""
        return ("sync", *(name for name in ("customize", "finalize") if getattr(self, name)))


RUNNER_RELATED = (
    *(DEPLOYMENT, SERVICE, SECRET, AUTOSCALER, POD, NAMESPACE),
    *(BackendConfig.definition.kind, PrismBackend.definition.kind),
)
CONTROLLERS: tuple[Controller, ...] = (
    Controller(
        name="prism-runner",
        parent=PatternRunner,
        children=(DEPLOYMENT, SERVICE, SECRET, AUTOSCALER),
        related=RUNNER_RELATED,
        sync=runner.sync,
        customize=runnerscope.customize,
    ),
    Controller(
        name="prism-pattern",
        parent=PrismPattern,
        children=(DEPLOYMENT, SERVICE, SECRET, AUTOSCALER),
        related=RUNNER_RELATED,
        sync=runner.sync,
        customize=runnerscope.customize,
    ),
    Controller(
        name="prism-backendconfig",
        parent=BackendConfig,
        children=(SECRET,),
        related=(SECRET,),
        sync=backendconfig.sync,
        customize=backendconfig.customize,
    ),
    Controller(
        name="prism-stack",
        parent=PrismStack,
        children=stackscope.OWNED,
        related=(*stackscope.OWNED, SECRET, POD, RESOURCE_QUOTA),
        sync=stack.sync,
        customize=stackscope.customize,
    ),
    Controller(
        name="prism-backend",
        parent=PrismBackend,
        children=(SECRET,),
        related=(SERVICE, ENDPOINT_SLICE, SECRET, CONFIG_MAP),
        sync=backend.sync,
        customize=backend.customize,
        finalize=backend.finalize,
        wish=backend.wish,
    ),
)
# A child kind that is not installed stops a whole controller, so these are installed one by one, by who has the kind.
OPTIONAL: dict[str, Controller] = {
    "monitoring": Controller(
        name="prism-monitoring",
        parent=PrismStack,
        flavor="decorator",
        children=(SERVICE_MONITOR,),
        related=(SERVICE_MONITOR,),
        sync=monitoring.sync,
        customize=monitoring.customize,
    ),
}
ALL = (*CONTROLLERS, *OPTIONAL.values())
