"""Children that were asked for and are not there: one that stays away is a condition, not only an event."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from app.api.kinds import Kind
from app.api.v1alpha1.common import Condition
from app.children.metadata import Child
from app.children.parts import SPEC
from app.children.workload import TEMPLATE
from app.contract import Observed
from app.status.conditions import Finding

RECHECK_SECONDS, PATIENCE_SECONDS = 30, 10
CHILDREN = "ChildrenExist"


def missing(children: Iterable[Child], namespace: str, observed: Observed) -> tuple[str, ...]:
    """Kind and name of each child that is wanted and not there, or not as it is wanted: a change may be refused too."""
    return tuple(_missing(children, namespace, observed))


def _missing(children: Iterable[Child], namespace: str, observed: Observed) -> Iterator[str]:
    for child in children:
        metadata, kind = child["metadata"], Kind(child["apiVersion"], child["kind"], "")
        live = observed.children.get(kind, metadata.get("namespace", namespace), metadata["name"])
        wanted = metadata.get("annotations", {})
        if live is None:
            yield f"{kind.kind} {metadata['name']}"
        elif any(key in wanted and live.metadata.annotations.get(key) != wanted[key] for key in (TEMPLATE, SPEC)):
            yield f"{kind.kind} {metadata['name']} (as changed)"


def recheck(absent: tuple[str, ...], previous: Iterable[Condition]) -> int:
    """When to look again, in seconds. The first sync always finds nothing yet; its creations wake the next one."""
    return RECHECK_SECONDS if absent and any(previous) else 0


def late(absent: tuple[str, ...], previous: Iterable[Condition], now: str) -> bool:
    """Whether a child has been missing for longer than creating one takes."""
    since = next((condition.last_transition_time for condition in previous if condition.type == CHILDREN), "")
    return bool(absent and since) and seconds_between(since, now) >= PATIENCE_SECONDS


def absence(absent: tuple[str, ...]) -> str:
    """What is missing, in a sentence that fits a condition."""
    shown = absent if len(absent) <= 5 else (*absent[:5], f"and {len(absent) - 5} more")
    return f"{', '.join(shown)}: asked for, but not there; the events of this object tell why"


def presence(absent: tuple[str, ...], previous: Iterable[Condition], *, late: bool) -> Iterator[Finding]:
    """While a child is not there: the condition's time tells since when. The first sync, which finds none, says nothing of it:
    its status is then that of the second, and is written once."""
    if absent and any(previous):
        yield Finding(CHILDREN, "False", "ChildMissing" if late else "Progressing", absence(absent) if late else "")


def seconds_between(earlier: str, later: str) -> float:
    """Seconds from one RFC 3339 time to another."""
    return (datetime.fromisoformat(later) - datetime.fromisoformat(earlier)).total_seconds()
