"""YAML in and out, the way kubectl reads and orders it."""

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from app.children.workload import LAST_APPLIED
from app.engine.cluster import Cluster, Manifest, owner_uid

RANKS = (
    "Namespace",
    "CustomResourceDefinition",
    "ServiceAccount",
    "Secret",
    "ConfigMap",
    "BackendConfig",
    "PatternRunner",
    "Service",
)
SUFFIXES = (".yaml", ".yml", ".json")
LAST = ("Deployment", "StatefulSet", "HorizontalPodAutoscaler")


def load(path: str) -> list[Manifest]:
    """The objects of a file, or of every YAML file of a folder; ``-`` is standard input, a List stands for its items.

    Raises ValueError where one is no Kubernetes object.
    """
    if Path(path).is_dir():
        return [document for file in sorted(Path(path).iterdir()) if file.suffix in SUFFIXES for document in load(str(file))]
    text = sys.stdin.read() if path == "-" else Path(path).read_text()
    try:
        documents = [document for document in yaml.safe_load_all(text) if document is not None]
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise ValueError(f"{path}: no YAML" + (f", line {mark.line + 1}" if mark else "")) from None
    lists = (each["items"] if isinstance(each, dict) and isinstance(each.get("items"), list) else [each] for each in documents)
    objects = [each for items in lists for each in items]
    for each in objects:
        if not (_text(each, "apiVersion") and _text(each, "kind") and _text(each.get("metadata"), "name")):
            raise ValueError(f"{path}: every document needs apiVersion, kind and metadata.name")
    return objects


def _text(value: Any, key: str) -> bool:
    return isinstance(value, dict) and isinstance(value.get(key), str) and bool(value[key])


def ordered(manifests: Iterable[Manifest]) -> list[Manifest]:
    """What others need comes first, so that ``kubectl apply`` accepts the list as it stands."""

    def rank(manifest: Manifest) -> tuple[int, str, str]:
        kind = manifest["kind"]
        place = RANKS.index(kind) if kind in RANKS else len(RANKS) + (1 + LAST.index(kind) if kind in LAST else 0)
        return place, kind, manifest["metadata"]["name"]

    return sorted(manifests, key=rank)


def wanted_children(cluster: Cluster) -> list[Manifest]:
    """The children as the hooks asked for them: read back from the annotation that Metacontroller leaves."""
    found = [child for child in cluster.all() if owner_uid(child) and LAST_APPLIED in child["metadata"].get("annotations", {})]
    return ordered(_wanted(child) for child in found)


def _wanted(child: Manifest) -> Manifest:
    wanted: dict[str, Any] = yaml.safe_load(child["metadata"]["annotations"][LAST_APPLIED])
    wanted["metadata"]["labels"].pop("controller-uid", None)
    return wanted
