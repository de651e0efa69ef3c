"""Metacontroller's wire, hook version v2: tolerant of what comes in, strict in what goes out.

Requests are JSON objects; only the keys below are read, and any of them but the parent may be missing:

    CompositeController   sync, finalize   {parent, children, related, finalizing}
    DecoratorController   sync, finalize   {object, attachments, related, finalizing}
    both                  customize        {parent}

``children``, ``attachments`` and ``related`` are ``{"Kind.group/version": {"namespace/name": object}}``.
"""

from typing import Any

import msgspec
import orjson

from app.contract import Desired, Object, Objects, Observed, Related

Map = dict[str, dict[str, Object]]


class Composite(msgspec.Struct):
    parent: msgspec.Raw
    children: Map | None = None
    related: Map | None = None
    finalizing: bool = False

    def observed(self) -> Observed:
        return Observed(Objects(self.children or {}), Objects(self.related or {}), self.finalizing)


class Decorator(msgspec.Struct):
    parent: msgspec.Raw = msgspec.field(name="object")
    children: Map | None = msgspec.field(name="attachments", default=None)
    related: Map | None = None
    finalizing: bool = False

    def observed(self) -> Observed:
        return Observed(Objects(self.children or {}), Objects(self.related or {}), self.finalizing)


class Customize(msgspec.Struct):
    parent: msgspec.Raw


composite = msgspec.json.Decoder(Composite)
decorator = msgspec.json.Decoder(Decorator)
customize = msgspec.json.Decoder(Customize)


def composite_answer(desired: Desired, *, finalizing: bool) -> bytes:
    """The answer to a CompositeController. ``finalized`` is written for finalize only: in a sync answer it would loop."""
    answer: dict[str, Any] = {"status": desired.status, "children": desired.children}
    return _encoded(answer, desired, finalizing=finalizing)


def decorator_answer(desired: Desired, *, finalizing: bool) -> bytes:
    """The answer to a DecoratorController; what is None is left out, which leaves the object's own alone."""
    answer: dict[str, Any] = {"attachments": desired.children}
    for key in ("status", "labels", "annotations"):
        if getattr(desired, key) is not None:
            answer[key] = getattr(desired, key)
    return _encoded(answer, desired, finalizing=finalizing)


def _encoded(answer: dict[str, Any], desired: Desired, *, finalizing: bool) -> bytes:
    if desired.resync_after:
        answer["resyncAfterSeconds"] = desired.resync_after
    if finalizing:
        answer["finalized"] = desired.finalized
    return orjson.dumps(answer)


def customize_answer(related: tuple[Related, ...]) -> bytes:
    """The answer of a customize hook: every rule names its namespace where the kind has one."""
    return orjson.dumps({"relatedResources": [_rule(rule) for rule in related]})


def _rule(rule: Related) -> dict[str, Any]:
    out: dict[str, Any] = {"apiVersion": rule.kind.api_version, "resource": rule.kind.plural}
    if rule.kind.namespaced:
        out["namespace"] = rule.namespace
    if rule.names:
        out["names"] = list(rule.names)
    else:
        out["labelSelector"] = {"matchLabels": rule.labels}
    return out
