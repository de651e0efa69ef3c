"""PURE: what a hook is given and what it gives.

sync(parent, observed, context) -> Desired
customize(parent, context) -> tuple[Related, ...]
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

import msgspec

from app.api.kinds import Kind
from app.settings import Settings

EMPTY = msgspec.Raw(b"{}")
NOTHING = msgspec.Raw(b"[]")


class OwnerReference(msgspec.Struct, frozen=True, gc=False):
    uid: str = ""
    controller: bool = False


class Metadata(msgspec.Struct, frozen=True, rename="camel"):
    name: str = ""
    namespace: str = ""
    uid: str = ""
    generation: int = 0
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    owner_references: list[OwnerReference] = []
    deletion_timestamp: str = ""
    managed_fields: msgspec.Raw = NOTHING


class Object(msgspec.Struct, frozen=True, rename="camel"):
    """An observed object. The parts that few hooks read stay bytes until ``read`` is asked for them."""

    metadata: Metadata = Metadata()
    type: str = ""
    data: dict[str, str] | None = None
    spec: msgspec.Raw = EMPTY
    status: msgspec.Raw = EMPTY
    endpoints: msgspec.Raw = NOTHING
    """Of an EndpointSlice."""

    def owned_by(self, uid: str) -> bool:
        """Whether its controller is the object with this uid: the one test of whose an object is."""
        return any(owner.controller and owner.uid == uid for owner in self.metadata.owner_references)


def read(part: msgspec.Raw) -> Any:
    """The value of a part of an observed object that was left as bytes."""
    return msgspec.json.decode(part)


@dataclass(frozen=True, slots=True)
class Objects:
    """Observed objects by kind and by ``namespace/name`` (``name`` where cluster-scoped), as hook version v2 keys them."""

    groups: dict[str, dict[str, Object]] = field(default_factory=dict)

    def get(self, kind: Kind, namespace: str, name: str) -> Object | None:
        """The object of that name, or None."""
        return self.groups.get(kind.key, {}).get(f"{namespace}/{name}" if kind.namespaced else name)

    def all(self, kind: Kind) -> Iterator[Object]:
        """Every object of a kind, in the order of its keys."""
        group = self.groups.get(kind.key, {})
        return (group[key] for key in sorted(group))

    def __bool__(self) -> bool:
        return any(self.groups.values())


@dataclass(frozen=True, slots=True)
class Observed:
    """What the cluster holds for this parent: its children, and what customize asked for."""

    children: Objects = field(default_factory=Objects)
    related: Objects = field(default_factory=Objects)
    finalizing: bool = False


@dataclass(frozen=True, slots=True)
class Wish:
    """What a hook wants of the registry: that it holds this record under this name, or none where ``record`` is None.

    ``changed`` is False where the registry has been told already: then it need only be told again now and then.
    """

    name: str
    source: dict[str, str]
    record: dict[str, Any] | None = None
    hash: str = ""
    changed: bool = True


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a wish: done, failed (with a condition's reason and message), or kept (nobody was asked this time)."""

    state: Literal["done", "failed", "kept"]
    reason: str = ""
    message: str = ""
    hash: str = ""
    """Of the record that the registry now holds."""


@dataclass(frozen=True, slots=True)
class Context:
    """What is true besides the cluster: the time (RFC 3339, seconds, UTC), the settings, what came of a side effect."""

    now: str
    settings: Settings = field(default_factory=Settings)
    outcome: Outcome | None = None


@dataclass(frozen=True, slots=True)
class Desired:
    """The answer. ``children`` are whole objects as plain dicts; ``resync_after`` is in seconds, 0 for none.

    A decorator's ``children`` are its attachments, and ``status`` None leaves the object's status alone.
    """

    children: list[dict[str, Any]]
    status: dict[str, Any] | None
    resync_after: int = 0
    finalized: bool = False
    labels: dict[str, str | None] | None = None
    annotations: dict[str, str | None] | None = None


@dataclass(frozen=True, slots=True)
class Related:
    """One rule of a customize answer: objects of a kind by names or by labels, in one namespace."""

    kind: Kind
    namespace: str
    names: tuple[str, ...] = ()
    labels: dict[str, str] = field(default_factory=dict)
