"""The children of the parents in a file, as YAML: what the cluster would get, without one."""

import asyncio
import sys
from collections.abc import Sequence

import httpx

from app.api.v1alpha1.common import API_VERSION
from app.cli.documents import load, wanted_children
from app.engine.admission import Invalid
from app.engine.cluster import Cluster, Manifest
from app.engine.session import Session
from app.generate.files import text
from app.main import create_app
from app.settings import Settings


def render(paths: Sequence[str]) -> int:
    """Prints the children, and on standard error what keeps a parent from being ready; 1 where a file is refused."""
    try:
        cluster = asyncio.run(rendered(paths))
    except (Invalid, ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    parents = [found for found in cluster.all() if found["apiVersion"] == API_VERSION]
    if not parents:
        print(f"error: no object of {API_VERSION} in {', '.join(paths)}", file=sys.stderr)
        return 1
    sys.stdout.write(text(wanted_children(cluster)).partition("\n")[2])
    for parent in parents:
        for said in complaints(parent):
            print(f"# {parent['kind']} {parent['metadata']['name']}: {said}", file=sys.stderr)
    return 0


def complaints(parent: Manifest) -> list[str]:
    """What its conditions say against it, the warnings too."""
    found = [each for each in parent["status"].get("conditions", []) if each["status"] == "False" and each["message"]]
    return [f"{each['type']}: {each['reason']}: {each['message']}" for each in found]


async def rendered(paths: Sequence[str], settings: Settings | None = None) -> Cluster:
    """The cluster that the files lead to. Everything else that they hold, such as Secrets, is there from the start.

    Raises ValueError where a hook refuses a parent.
    """
    documents = [document for path in paths for document in load(path)]
    app = create_app(settings or Settings())
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://operator") as client:
        session = Session(client)
        for document in sorted(documents, key=lambda document: document["apiVersion"] == API_VERSION):
            session.cluster.apply(document)
        await session.settle()
        if session.loop.errors:
            (kind, _, name), said = session.loop.errors[-1]
            raise ValueError(f"{kind.partition('.')[0]} {name}: {said}")
        return session.cluster
