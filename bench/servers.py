"""The variants, each a server of its own process on loopback: ``python -m bench.servers VARIANT``.

``GET /cpu`` answers the seconds of CPU that the process has used.
"""

import json
import socket
import sys
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import uvicorn
from fastapi import FastAPI, Response
from pydantic import BaseModel

from app import guard
from app.api.v1alpha1.common import Metadata
from app.cli.serve import KEEP_ALIVE_SECONDS
from app.controllers import Controller
from app.main import create_app, lifespan
from app.settings import Settings
from bench.work import CONFIG_MAP, Bench, BenchSpec, child, sync

ROW = Controller(name="bench", parent=Bench, children=(CONFIG_MAP,), sync=sync)


def ours(*, guarded: bool) -> FastAPI:
    """The operator's own path, through a row that only the bench has."""
    if not guarded:
        guard.check = _unchecked  # type: ignore[assignment]
    return create_app(Settings(), (ROW,))


def _unchecked(*_: object) -> None:
    """The guard, left out."""


def constant() -> FastAPI:
    """A FastAPI endpoint that answers the same bytes whatever it is sent."""
    app = FastAPI(lifespan=lifespan, telemetry={"tracing": False, "metrics": False, "logs": False})
    answer = json.dumps({"status": {}, "children": [child(index, "team-a") for index in range(10)]}).encode()

    @app.post("/hooks/bench/sync")
    async def hook() -> Response:
        return Response(answer, media_type="application/json")

    return app


class DefaultParent(BaseModel):
    metadata: Metadata
    spec: BenchSpec


class DefaultRequest(BaseModel):
    parent: DefaultParent
    children: dict[str, dict[str, dict[str, Any]]] = {}
    related: dict[str, dict[str, dict[str, Any]]] = {}
    finalizing: bool = False


class DefaultAnswer(BaseModel):
    status: dict[str, Any]
    children: list[dict[str, Any]]


def default() -> FastAPI:
    """FastAPI as its tutorial has it: a model in, a model out."""
    app = FastAPI()

    @app.post("/hooks/bench/sync")
    async def hook(body: DefaultRequest) -> DefaultAnswer:
        children = [child(index, body.parent.metadata.namespace) for index in range(body.parent.spec.children)]
        return DefaultAnswer(status={"seen": len(body.children["ConfigMap.v1"])}, children=children)

    return app


class Plain(BaseHTTPRequestHandler):
    """The standard library's server, as Metacontroller's own Python examples use it (one connection at a time)."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        namespace = body["parent"]["metadata"]["namespace"]
        children = [child(index, namespace) for index in range(body["parent"]["spec"]["children"])]
        self._answer({"status": {"seen": len(body["children"]["ConfigMap.v1"])}, "children": children})

    def do_GET(self) -> None:
        self._answer(time.process_time())

    def _answer(self, value: Any) -> None:
        text = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_: Any) -> None:
        pass


def main(variant: str) -> None:
    """Prints the port and serves until it is ended."""
    if variant == "http.server":
        server = HTTPServer(("127.0.0.1", 0), Plain)
        print(server.server_port, flush=True)
        server.serve_forever()
    made: dict[str, Callable[[], FastAPI]] = {
        "constant": constant,
        "default": default,
        "ours": lambda: ours(guarded=True),
        "unguarded": lambda: ours(guarded=False),
        "operator": lambda: create_app(Settings()),
    }
    app = made[variant]()

    @app.get("/cpu")
    async def cpu() -> float:
        return time.process_time()

    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    print(listener.getsockname()[1], flush=True)
    config = uvicorn.Config(
        app, loop="uvloop", http="httptools", access_log=False, log_level="warning", timeout_keep_alive=KEEP_ALIVE_SECONDS
    )
    uvicorn.Server(config).run([listener])


if __name__ == "__main__":
    main(sys.argv[1])
