"""Every sample through the real service and a cluster in memory, live, until nothing changes."""

import asyncio
import re
import socket
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.text import Text
from rich.tree import Tree

from app.api.v1alpha1.common import API_VERSION
from app.cli.documents import load
from app.cli.scenes import SCENES, Scene
from app.cli.serve import server, with_registry
from app.engine.admission import Invalid
from app.engine.cluster import Cluster, Manifest, owner_uid
from app.engine.session import Session
from app.settings import Settings

SAMPLES = "samples"
OUTCOME = "prism.io/sample-outcome"
COLOURS = {"True": "green", "False": "red", "Unknown": "yellow"}
FRAME_SECONDS = 0.02
PICTURED = ("demo", "redis-production", "user-sessions", "ledger-db")


def demo(samples: str, picture: str) -> int:
    """0 where every sample, and every scene after them, came to its outcome, and a resync of everything writes nothing."""
    paths = sorted(Path(samples).glob("*.yaml"))
    if not paths:
        print(f"error: no samples in {samples}", file=sys.stderr)
        return 2
    console = Console(record=bool(picture), width=118 if picture else None)
    try:
        good = asyncio.run(_drive(paths, console, scenes=samples == SAMPLES))
    except (Invalid, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    if picture:
        _export(console, Path(picture))
    return 0 if good else 1


async def _drive(paths: list[Path], console: Console, *, scenes: bool) -> bool:
    start = time.perf_counter()
    async with _service() as url, httpx.AsyncClient(base_url=url, timeout=10) as client:
        session = Session(client)
        with Live(console=console, auto_refresh=False, transient=bool(console.record)) as live:

            async def show() -> None:
                if console.is_terminal:
                    live.update(_screen(session.cluster), refresh=True)
                    await asyncio.sleep(FRAME_SECONDS)

            for path in paths:
                for document in load(str(path)):
                    session.cluster.apply(document)
                await session.settle(show)
            told = []
            for scene in SCENES if scenes else ():
                scene.play(session.cluster)
                await session.settle(show)
                told.append((scene, _reached(session.cluster, scene)))
            writes = session.cluster.writes["metacontroller"]
            syncs, seconds = session.loop.syncs, time.perf_counter() - start
            session.loop.resync()
            await session.settle(show)
            again = session.cluster.writes["metacontroller"] - writes
            live.update(_screen(session.cluster), refresh=True)
        if console.record:
            console.print(_screen(session.cluster, PICTURED))
    counts = f"{syncs} syncs, {writes} writes in {seconds:.1f} s; a resync of all of them: {again} writes"
    return _report(console, session, counts, told) and again == 0


def _reached(cluster: Cluster, scene: Scene) -> tuple[bool, str]:
    """Whether a scene came to its outcome, and what the object says."""
    ready = _ready(cluster.get((f"{scene.kind}.{API_VERSION}", scene.namespace, scene.name)) or {})
    good = ready.get("status") == "True" if scene.outcome == "Ready" else ready.get("reason") == scene.outcome
    return good, ready.get("message", "")


def _report(console: Console, session: Session, counts: str, told: list[tuple[Scene, tuple[bool, str]]]) -> bool:
    parents = [found for found in session.cluster.all() if found["apiVersion"] == API_VERSION]
    missed = [found for found in parents if not _as_declared(found)]
    console.print(f"\n{len(parents)} parents, {counts}")
    for scene, (good, says) in told:
        mark, wanted = ("[green]✓[/]", "") if good else ("[red]✗[/]", f" [red](wanted {scene.outcome})[/]")
        console.print(f"{mark} {scene.title}: [dim]{scene.kind} {scene.name}: {says}[/]{wanted}", highlight=False)
    for found in missed:
        declared = found["metadata"].get("annotations", {}).get(OUTCOME)
        console.print(f"[red]{found['kind']} {found['metadata']['name']} did not come to {declared}[/]")
    if not missed:
        console.print("[green]every sample came to the outcome that it declares[/]")
    return not missed and all(good for _, (good, _) in told)


def _as_declared(parent: Manifest) -> bool:
    """``Ready``, or the reason for which Ready is false."""
    declared = parent["metadata"].get("annotations", {}).get(OUTCOME)
    if declared is None:
        return bool(owner_uid(parent))
    ready = _ready(parent)
    return bool(ready.get("status") == "True" if declared == "Ready" else ready.get("reason") == declared)


def _ready(manifest: Manifest) -> Manifest:
    conditions: list[Manifest] = (manifest.get("status") or {}).get("conditions", [])
    return next((c for c in conditions if c["type"] == "Ready"), {})


def _screen(cluster: Cluster, names: tuple[str, ...] = ()) -> RenderableType:
    """Parents, all or those of these names, below them their conditions and what they own."""
    objects = list(cluster.all())
    roots = [found for found in objects if found["apiVersion"] == API_VERSION and not owner_uid(found)]
    return Group(*(_branch(root, objects) for root in roots if not names or root["metadata"]["name"] in names))


def _branch(found: Manifest, objects: list[Manifest]) -> Tree:
    tree = Tree(_title(found))
    for condition in (found.get("status") or {}).get("conditions", []) if found["apiVersion"] == API_VERSION else []:
        if condition["type"] not in ("Ready", "Reconciling"):
            colour = "red" if condition["type"] == "Stalled" else COLOURS[condition["status"]]
            tree.add(
                Text.assemble(
                    (f"{condition['type']} ", "dim"), (condition["status"], colour), (f"  {condition['message']}", "dim")
                )
            )
    owned = [child for child in objects if owner_uid(child) == found["metadata"]["uid"]]
    for child in owned:
        if child["kind"] != "Pod":
            tree.add(_branch(child, objects))
    phases = Counter(child.get("status", {}).get("phase", "") for child in owned if child["kind"] == "Pod")
    for phase, number in sorted(phases.items()):
        tree.add(Text.assemble(("Pods ", "cyan"), f"{number} {phase}"))
    return tree


def _title(found: Manifest) -> Text:
    head = Text.assemble(
        (f"{found['kind']} ", "bold cyan" if found["apiVersion"] == API_VERSION else "cyan"), found["metadata"]["name"]
    )
    ready, phase = _ready(found), (found.get("status") or {}).get("phase", "")
    if ready:
        head.append(f"  {phase}", "bold " + COLOURS[ready["status"]])
        head.append(f"  {ready['message']}", "dim")
    return head


@asynccontextmanager
async def _service() -> AsyncIterator[str]:
    """The real service on a free port of loopback."""
    # The protocol must be said: asyncio sends answers without delay only on sockets that say they are TCP.
    with TemporaryDirectory() as folder, socket.socket(proto=socket.IPPROTO_TCP) as listener:
        listener.bind(("127.0.0.1", 0))
        settings = Settings(log_level="WARNING", registry_store=f"sqlite:///{folder}/registry.db")
        running = server(with_registry(settings), settings, "127.0.0.1", listener.getsockname()[1])
        task = asyncio.create_task(running.serve([listener]))
        while not running.started and not task.done():
            await asyncio.sleep(0.005)
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            running.should_exit = True
            await task


def _export(console: Console, path: Path) -> None:
    """The screen as SVG, with the reader's own font: the picture loads nothing from elsewhere."""
    svg = console.export_svg(title="make demo")
    path.parent.mkdir(exist_ok=True)
    path.write_text(re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.S))
