"""Whose an object is. A name that belongs to something else is left alone and said."""

from collections.abc import Iterable

from app.api.kinds import Kind
from app.contract import Observed

MOST_NAMED = 10


def conflicts(wanted: Iterable[tuple[Kind, str]], namespace: str, uid: str, observed: Observed) -> list[tuple[Kind, str]]:
    """The wanted names that already belong to something other than the parent with this uid, another parent of ours included."""
    found = ((kind, name, observed.related.get(kind, namespace, name)) for kind, name in wanted)
    return [(kind, name) for kind, name, there in found if there is not None and not there.owned_by(uid)]


def conflict_message(taken: Iterable[tuple[Kind, str]]) -> str:
    """Names what is taken."""
    found = [f"{kind.kind} {name}" for kind, name in taken]
    more = f" and {len(found) - MOST_NAMED} more" if len(found) > MOST_NAMED else ""
    names = ", ".join(found[:MOST_NAMED]) + more
    return f"{names}: the name belongs to something else, which is left alone; rename this object, or delete or rename that"
