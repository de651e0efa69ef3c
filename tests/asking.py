"""A hook asked as Metacontroller asks it, its answer judged."""

import httpx

from tests.build import Manifest
from tests.oracles import judge, judge_status


async def asked(client: httpx.AsyncClient, path: str, body: Manifest) -> Manifest:
    """The answer of ``path`` (such as ``prism-stack/sync``), every child of it and its status judged."""
    response = await client.post(f"/hooks/{path}", json=body)
    assert response.status_code == 200, response.text
    answer: Manifest = response.json()
    for child in answer["children"]:
        judge(child)
    judge_status(body["parent"]["kind"], answer["status"])
    return answer
