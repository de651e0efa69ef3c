"""The docs page: every hook with its parent's schema and an example body that can be sent as it stands."""

from typing import Any

from fastapi import FastAPI

from app.controllers import Controller
from app.examples import EXAMPLES

RESPONSES = {
    "400": "The body is no request of this hook; the text names the field, never its value.",
    "401": "The bearer token is missing or wrong.",
    "413": "The body is over the limit.",
    "429": "Too many requests wait, or this pod is of another release; see Retry-After.",
    "500": "The hook failed or the guard held its answer back; nothing in the cluster changes.",
}


def document(app: FastAPI, controllers: tuple[Controller, ...]) -> None:
    """Describes the bodies, which the routes read by themselves, in the application's OpenAPI."""
    made = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            schema = made()
            for controller in controllers:
                for hook in controller.hooks:
                    _describe(schema["paths"][f"/hooks/{controller.name}/{hook}"]["post"], controller, hook)
            app.openapi_schema = schema
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


def _describe(operation: dict[str, Any], controller: Controller, hook: str) -> None:
    kind = controller.parent.definition.kind
    parent = EXAMPLES.get(
        kind.kind, {"apiVersion": kind.api_version, "kind": kind.kind, "metadata": {"name": "example"}, "spec": {}}
    )
    key = "object" if controller.flavor == "decorator" and hook != "customize" else "parent"
    example: dict[str, Any] = {key: parent}
    if hook != "customize":
        owned = "attachments" if controller.flavor == "decorator" else "children"
        example |= {owned: {}, "related": {}, "finalizing": hook == "finalize"}
    operation["summary"] = f"{hook} of {kind.kind}"
    operation["description"] = " ".join((getattr(controller, hook).__doc__ or "").split())
    body = {"type": "object", "required": [key], "properties": {name: {"type": "object"} for name in example}}
    operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": body, "example": example}}}
    operation["responses"] = {
        "200": {"description": "What should exist.", "content": {"application/json": {"schema": {"type": "object"}}}},
        **{code: {"description": text} for code, text in RESPONSES.items()},
    }
