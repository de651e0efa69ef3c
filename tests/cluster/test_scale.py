"""Two hundred runners at once, beside a hook that answers the same constant children: how long, and how many writes."""

import http.server
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import pytest

from tests.cluster.conftest import Operator, free_port
from tests.cluster.kubectl import apply, eventually, items, kubectl

pytestmark = pytest.mark.metacontroller
NUMBER, ROUNDS = 200, 3
AIM, MOST = 1.2, 1.5
"""The aim is not reached where everything shares two cores and the time is all CPU time: a second status write alone makes
about 1.1 there, related names 1.2, and related pods 1.3 to 1.4. ``MOST`` is where a change has made it worse."""


def runner(index: int) -> dict[str, Any]:
    spec = {"pattern": "keyvalue", "backend": "memstore", "replicas": 1}
    return {"apiVersion": "prism.io/v1alpha1", "kind": "PatternRunner", "metadata": {"name": f"many-{index}"}, "spec": spec}


class Constant(http.server.BaseHTTPRequestHandler):
    """Answers every sync with the same three children, but for the name, and one status."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    children: list[dict[str, Any]]

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        metadata = body["parent"]["metadata"]
        text = json.dumps(self.children).replace("@name", metadata["name"]).replace("@space", metadata["namespace"])
        answer = json.dumps({"children": json.loads(text), "status": {"phase": "Constant", "conditions": []}}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def constant_hook(children: list[dict[str, Any]]) -> Iterator[str]:
    handler = type("Handler", (Constant,), {"children": children})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", free_port()), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def children_of(namespace: str, name: str) -> list[dict[str, Any]]:
    """A runner's children as they are in the cluster, bare of what the server adds, with placeholders for the names."""
    found = items(namespace, "deployment,service,secret", "-l", f"prism.io/instance={name}")
    out = []
    for child in found:
        labels = {key: value for key, value in child["metadata"]["labels"].items() if key != "controller-uid"}
        bare: dict[str, Any] = {key: child[key] for key in ("apiVersion", "kind", "type", "data") if key in child}
        bare["metadata"] = {"name": child["metadata"]["name"], "namespace": namespace, "labels": labels}
        if child["kind"] != "Secret":
            bare["spec"] = {
                k: v for k, v in child["spec"].items() if k not in ("clusterIP", "clusterIPs", "ipFamilies", "replicas")
            }
        out.append(bare)
    text: list[dict[str, Any]] = json.loads(json.dumps(out).replace(namespace, "@space").replace(name, "@name"))
    return text


def times(path: str, kind: str) -> list[float]:
    """When the condition of each object became true; fewer than there are objects while some is not."""
    found = json.loads(kubectl("get", "--raw", path))["items"]
    conditions = [c for each in found for c in each.get("status", {}).get("conditions", []) if c["type"] == kind]
    return [datetime.fromisoformat(c["lastTransitionTime"]).timestamp() for c in conditions if c["status"] == "True"]


def available(namespace: str) -> list[float]:
    return times(f"/apis/apps/v1/namespaces/{namespace}/deployments", "Available")


def running(namespace: str) -> list[float]:
    return times(f"/apis/prism.io/v1alpha1/namespaces/{namespace}/patternrunners", "Ready")


def create_many(operator: Operator, namespace: str, done: Callable[[str], list[float]]) -> tuple[float, float]:
    """Seconds until the last is done, and Metacontroller's writes a runner.

    The times are those that the cluster noted, so that looking often does not slow what is looked at.
    """
    before, start = operator.writes(), time.time()
    given = {"apiVersion": "v1", "kind": "List", "items": [runner(index) for index in range(NUMBER)]}
    kubectl("create", "-n", namespace, "--validate=false", "-f", "-", given=json.dumps(given))
    eventually(lambda: len(done(namespace)) == NUMBER, 180, pause=2)
    time.sleep(3)
    return round(max(done(namespace)) - start, 1), (operator.writes() - before) / NUMBER


def test_two_hundred_runners_cost_little_more_than_a_constant_answer(operator: Operator, namespace: str) -> None:
    if operator.strategy == "in-cluster":
        pytest.fail("needs the binary in METACONTROLLER: it points the controllers to another hook for a while")
    apply(namespace, {**runner(0), "metadata": {"name": "zz-origin"}})
    eventually(lambda: items(namespace, "deployment"))
    constant_children = children_of(namespace, "zz-origin")
    ours, constant = [], []
    for _ in range(ROUNDS):
        ours.append(create_many_in(operator, "ours", running))
        with constant_hook(constant_children) as url:
            operator.manifests("constant", url)
            without_customize = '[{"op":"remove","path":"/spec/hooks/customize"}]'
            kubectl("patch", "compositecontroller", "prism-runner", "--type=json", "-p", without_customize)
            time.sleep(4)
            constant.append(create_many_in(operator, "constant", available))
        operator.manifests()
        time.sleep(4)
    ratio = min(ours)[0] / min(constant)[0]
    print(f"\n{operator.strategy}: {ratio:.2f} (aim {AIM}); seconds and writes a runner: ours {ours}, constant {constant}")
    assert ratio <= MOST
    assert max(count for _, count in ours) <= 6


def create_many_in(operator: Operator, name: str, done: Callable[[str], list[float]]) -> tuple[float, float]:
    namespace = f"scale-{name}-{time.monotonic_ns() % 100000}"
    kubectl("create", "namespace", namespace)
    try:
        return create_many(operator, namespace, done)
    finally:
        kubectl("delete", "namespace", namespace, "--wait=true", timeout=180)
