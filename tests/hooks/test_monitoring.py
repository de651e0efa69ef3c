"""prism-monitoring, the decorator that has stacks scraped where the Prometheus operator is installed."""

from typing import Any

import httpx
import pytest

from app.cli.main import OPTIONAL as ON_THE_COMMAND_LINE
from app.controllers import OPTIONAL
from tests.build import Manifest, find, mapped
from tests.stack import foreign, stack, sync

ON: Manifest = {"observability": {"enabled": True}}


async def attached(client: httpx.AsyncClient, of: Manifest, *related: Manifest) -> list[Manifest]:
    body = {"object": of, "attachments": {}, "related": mapped(*related), "finalizing": False}
    response = await client.post("/hooks/prism-monitoring/sync", json=body)
    assert response.status_code == 200, response.text
    answer: Manifest = response.json()
    assert answer.keys() == {"attachments"}, "a decorator that says nothing of the status leaves it alone"
    return answer["attachments"]  # type: ignore[no-any-return]


CASES: dict[str, tuple[Manifest, list[tuple[str, int]]]] = {
    "a proxy": (ON, [("demo-proxy", 9090)]),
    "a proxy and an admin": ({**ON, "admin": {}}, [("demo-proxy", 9090), ("demo-admin", 9090)]),
    "a port that moved": (
        {"observability": {"metrics": {"port": 8980}}, "admin": {}},
        [("demo-proxy", 8981), ("demo-admin", 8981)],
    ),
    "nothing where nothing is shown": ({"observability": {"enabled": False}}, []),
    "nothing where nothing is said": ({}, []),
}


@pytest.mark.parametrize(("spec", "want"), CASES.values(), ids=CASES)
async def test_monitors(client: httpx.AsyncClient, spec: Manifest, want: list[tuple[str, int]]) -> None:
    made = await attached(client, stack(spec))
    assert [(each["metadata"]["name"], each["spec"]["endpoints"][0]["targetPort"]) for each in made] == want


async def test_each_monitor_selects_one_service_and_a_port_that_its_pods_name(client: httpx.AsyncClient) -> None:
    of = stack({**ON, "admin": {}})
    children = (await sync(client, {"parent": of}))["children"]
    for made in await attached(client, of):
        labels = made["spec"]["selector"]["matchLabels"].items()
        services = [c for c in children if c["kind"] == "Service" and labels <= c["metadata"]["labels"].items()]
        assert len(services) == 1
        pods: list[Any] = [
            c for c in children if c["metadata"]["name"] == made["metadata"]["name"] and "template" in c.get("spec", {})
        ]
        ports = [port["containerPort"] for port in pods[0]["spec"]["template"]["spec"]["containers"][0]["ports"]]
        assert made["spec"]["endpoints"][0]["targetPort"] in ports


async def test_a_name_that_is_taken_is_left_alone(client: httpx.AsyncClient) -> None:
    of = stack(ON)
    taken = foreign(find({"children": await attached(client, of)}, "ServiceMonitor"))
    assert await attached(client, of, taken) == []


def test_the_command_line_offers_what_the_table_has() -> None:
    assert set(ON_THE_COMMAND_LINE) == set(OPTIONAL)
