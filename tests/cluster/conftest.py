"""Fixtures: our kinds in the cluster, a namespace for each test, Metacontroller and the service beside."""

import base64
import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.controllers import CONTROLLERS
from tests.cluster.kubectl import Refused, eventually, kubectl, metacontroller_in_cluster, writes

ROOT = Path(__file__).parents[2]
OPERATOR = str(Path(sys.executable).parent / "prism-operator")
OURS = tuple(sorted({kind.plural for row in CONTROLLERS for kind in (row.parent.definition.kind, *row.children)}))
STRATEGIES = ("dynamic-apply", "server-side-apply") if os.environ.get("METACONTROLLER") else ("in-cluster",)


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


@pytest.fixture(scope="session")
def kinds() -> None:
    """The CRDs, applied as the README says."""
    kubectl("apply", "--server-side", "--force-conflicts", "--validate=strict", "-f", str(ROOT / "crds"))
    kubectl("wait", "--for=condition=Established", "crd", "--all", "--timeout=30s")


@pytest.fixture
def namespace(kinds: None) -> Iterator[str]:
    """A namespace of the test's own, deleted afterwards."""
    name = f"test-{uuid.uuid4().hex[:8]}"
    kubectl("create", "namespace", name)
    recycle()
    yield name
    kubectl("delete", "namespace", name, "--wait=false")
    recycle()


def recycle() -> None:
    """Frees the volumes that earlier tests left: a cluster that cannot make new ones has only so many."""
    for volume in json.loads(kubectl("get", "pv", "-o", "json"))["items"]:
        left = volume.get("spec", {}).get("claimRef", {}).get("namespace", "").startswith("test-")
        if left and volume.get("status", {}).get("phase") == "Released":
            kubectl("patch", "pv", volume["metadata"]["name"], "--type=json", "-p", '[{"op":"remove","path":"/spec/claimRef"}]')


REGISTRY_TOKEN = "of-the-tests"


def hook_token() -> str:
    """The token of the install's Secret, made as the install's own step makes it."""
    subprocess.run(["make", "-s", "tokens"], cwd=ROOT, check=True, capture_output=True)
    found = kubectl("get", "secret", "prism-operator-tokens", "-n", "prism-operator", "-o", "jsonpath={.data.hook}")
    return base64.b64decode(found).decode()


def healthy(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/healthz", timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


class Operator:
    """The service on loopback and Metacontroller beside the cluster. ``manifests`` changes what Metacontroller is told."""

    def __init__(self, strategy: str, logs: Path) -> None:
        self.strategy, self.port, self.metrics_port, self.logs = strategy, free_port(), free_port(), logs
        self.registry_port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.registry_url = f"http://127.0.0.1:{self.registry_port}"
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.environment = {
            **os.environ,
            "PRISM_HOOK_TOKEN": hook_token(),
            "PRISM_REGISTRY_URL": self.registry_url,
            "PRISM_REGISTRY_TOKEN": REGISTRY_TOKEN,
            "PRISM_REGISTRY_STORE": f"sqlite:///{logs}/registry.db",
        }

    def start_service(self) -> None:
        self._start("service", [OPERATOR, "serve", "--port", str(self.port)])
        eventually(lambda: healthy(self.url), 20)

    def start_registry(self) -> None:
        self._start("registry", [OPERATOR, "registry", "--port", str(self.registry_port)])
        eventually(lambda: healthy(self.registry_url), 20)

    def record(self, name: str) -> Any:
        """What the registry says of a backend: its answer's code, or the record."""
        asked = urllib.request.Request(f"{self.registry_url}/v1/backends/{name}")
        asked.add_header("Authorization", f"Bearer {REGISTRY_TOKEN}")
        try:
            with urllib.request.urlopen(asked, timeout=5) as answer:
                return json.loads(answer.read())
        except urllib.error.HTTPError as error:
            return error.code

    def start_metacontroller(self) -> None:
        config = os.environ.get("METACONTROLLER_KUBECONFIG") or os.environ["KUBECONFIG"]
        self._start(
            "metacontroller",
            [
                os.environ["METACONTROLLER"],
                f"--kubeconfig={config}",
                f"--apply-strategy={self.strategy}",
                "--discovery-interval=1s",
                "--client-go-qps=500",
                "--client-go-burst=1000",
                f"--metrics-address=127.0.0.1:{self.metrics_port}",
                f"--health-probe-bind-address=127.0.0.1:{free_port()}",
            ],
        )

    def manifests(self, release: str = "test", url: str = "", optional: str = "", *, token: bool = True) -> None:
        """Gives Metacontroller the controllers, and its user the generated role and nothing else."""
        shown = [*(["--token"] if token else []), *(["--optional", optional] if optional else [])]
        printed = subprocess.run(
            [OPERATOR, "manifests", "--hook-url", url or self.url, "--release", release, *shown],
            check=True,
            capture_output=True,
            text=True,
        )
        kubectl("apply", "--validate=strict", "-f", "-", given=printed.stdout)
        user = os.environ.get("METACONTROLLER_USER")
        if user:
            binding = kubectl(
                "create", "clusterrolebinding", "prism-e2e", "--clusterrole=prism-operator-metacontroller", f"--user={user}",
                "--dry-run=client", "-o", "yaml",
            )  # fmt: skip
            kubectl("apply", "-f", "-", given=binding)

    def writes(self) -> int:
        """Write requests that Metacontroller has ever sent; in a cluster, those that the API server had from anybody."""
        if self.strategy == "in-cluster":
            return writes(OURS)
        with urllib.request.urlopen(f"http://127.0.0.1:{self.metrics_port}/metrics", timeout=5) as answer:
            lines = [line for line in answer.read().decode().splitlines() if line.startswith("rest_client_requests_total{")]
        return sum(int(float(line.rpartition(" ")[2])) for line in lines if 'method="GET"' not in line)

    def _start(self, name: str, command: list[str]) -> None:
        with (self.logs / f"{name}-{self.strategy}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(command, stdout=log, stderr=log, env=self.environment)

    def stop(self, *names: str) -> None:
        for name in names or tuple(self.processes):
            process = self.processes.pop(name)
            process.terminate()
            process.wait(20)


@pytest.fixture(scope="session", params=STRATEGIES)
def operator(request: pytest.FixtureRequest, kinds: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operator]:
    """Metacontroller with this apply strategy and the service; where both are in the cluster, those."""
    running = Operator(request.param, tmp_path_factory.mktemp("logs"))
    if request.param == "in-cluster":
        assert metacontroller_in_cluster()
        yield running
        return
    running.start_registry()
    running.start_service()
    running.manifests()
    running.start_metacontroller()
    time.sleep(3)
    try:
        yield running
    finally:
        running.stop()
        for kind in ("compositecontroller", "decoratorcontroller"):
            try:
                kubectl("delete", kind, "-l", "app.kubernetes.io/part-of=prism-operator", "--ignore-not-found")
            except Refused:
                continue
