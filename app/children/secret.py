"""Secrets: a runner's configuration, and bindings in the form of servicebinding.io."""

from collections.abc import Mapping
from typing import Any

import orjson

from app.api.kinds import SECRET
from app.backends.address import Values
from app.bindings.secretkeys import GENERATION
from app.bindings.values import encode
from app.children.metadata import Child, Owner, child
from app.contract import Object


def secret(
    owner: Owner, name: str, data: Mapping[str, str], kind: str = "Opaque", annotations: dict[str, str] | None = None
) -> Child:  # fmt: skip
    """A Secret of text values."""
    return child(SECRET, owner, name, annotations, type=kind, data=encode(data))


def json_text(value: Any) -> str:
    """JSON for a file that a person may read: sorted, indented."""
    return orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE).decode()


def binding(owner: Owner, name: str, values: Values, generation: str = "") -> Child:
    """The Secret that carries a backend's values; its type names the backend's, an annotation the generation of the spec."""
    return secret(owner, name, values, f"servicebinding.io/{values['type']}", {GENERATION: generation} if generation else None)


def replaced(wanted: Child, live: Object | None) -> bool:
    """Whether a Secret must go before it can come: its type is another, and the API server will not change a type."""
    return live is not None and live.type != wanted["type"]
