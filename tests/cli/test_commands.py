"""The command line, as a user runs it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from app.cli.scenes import SCENES
from app.generate.files import ROOT
from tests.oracles import MODELS, judge

OPERATOR = str(Path(sys.executable).parent / "prism-operator")
SAMPLES = sorted(ROOT.glob("samples/*.yaml"))
ORDER = [
    "Secret", "BackendConfig", "PatternRunner", "Service", "PodDisruptionBudget",
    "Deployment", "StatefulSet", "HorizontalPodAutoscaler",
]  # fmt: skip


def run(*arguments: str, given: str = "", timeout: int = 60) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [OPERATOR, *arguments], input=given, capture_output=True, text=True, timeout=timeout, check=False, cwd=ROOT
    )


def test_the_demo_brings_every_sample_to_the_outcome_that_it_declares() -> None:
    ran = run("demo")
    assert ran.returncode == 0, ran.stdout
    assert "every sample came to the outcome that it declares" in ran.stdout
    assert ran.stdout.count("✓") == len(SCENES)
    assert "a resync of all of them: 0 writes" in ran.stdout


def test_the_demo_fails_where_a_sample_does_not(tmp_path: Path) -> None:
    sample = SAMPLES[0].read_text().replace("backend: memstore", "backend: redis")
    (tmp_path / "a.yaml").write_text(sample)
    ran = run("demo", "--samples", str(tmp_path))
    assert ran.returncode == 1
    assert "PatternRunner sessions did not come to Ready" in ran.stdout


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_render_prints_children_that_a_cluster_accepts(path: Path) -> None:
    ran = run("render", "-f", str(path))
    assert ran.returncode == 0, ran.stderr
    children = list(yaml.safe_load_all(ran.stdout))
    assert children
    for child in children:
        assert child["kind"] in (*MODELS, "PatternRunner", "BackendConfig")
        judge(child)
    kinds = [child["kind"] for child in children]
    assert kinds == sorted(kinds, key=ORDER.index)


def test_render_reads_standard_input_and_says_what_is_missing() -> None:
    ran = run("render", "-f", "-", given=(ROOT / "samples/07-backendconfig-secret-missing.yaml").read_text())
    assert "SecretNotFound: spec.secretRef: Secret ledger-credentials does not exist" in ran.stderr


BAD = {
    "no YAML": ("a: [", "no YAML, line 1"),
    "no object": ("- 1", "every document needs apiVersion, kind and metadata"),
    "metadata of nothing": ("{apiVersion: v1, kind: Secret, metadata: null}", "needs apiVersion, kind and metadata.name"),
    "no name": ("{apiVersion: v1, kind: Secret, metadata: {}}", "needs apiVersion, kind and metadata.name"),
    "nothing of ours": ("{apiVersion: v1, kind: Secret, metadata: {name: a}}", "no object of prism.io/v1alpha1 in -"),
    "a version that is none": (SAMPLES[0].read_text().replace("prism.io/v1alpha1", "prism.io/v1"), "no version prism.io/v1, but"),
    "two patterns of one name": (
        "{apiVersion: prism.io/v1alpha1, kind: PrismStack, metadata: {name: a}, spec: {patterns:"
        " [{name: x, type: keyvalue}, {name: x, type: keyvalue}]}}",
        "PrismStack a: sync hook failed: 500 the answer was held back: duplicate",
    ),
    "an unknown field": (SAMPLES[0].read_text() + "  patern: x\n", "unknown field spec.patern"),
    "an unknown kind": (SAMPLES[0].read_text().replace("PatternRunner", "PatternRuner"), "no kind PatternRuner"),
}


@pytest.mark.parametrize(("text", "says"), BAD.values(), ids=BAD)
def test_render_refuses_what_a_cluster_would(text: str, says: str) -> None:
    ran = run("render", "-f", "-", given=text)
    assert ran.returncode == 1
    assert says in ran.stderr
    assert "Traceback" not in ran.stderr


def test_render_takes_folders_and_lists_and_says_warnings(tmp_path: Path) -> None:
    runner = {"apiVersion": "prism.io/v1alpha1", "kind": "PatternRunner", "metadata": {"name": "a"}}
    bound = {"pattern": "keyvalue", "backend": "memstore", "backendBindings": {"cash": {"backendRef": "x"}}}
    manifest = {"apiVersion": "v1", "kind": "List", "items": [{**runner, "spec": bound}]}
    (tmp_path / "list.yaml").write_text(yaml.safe_dump(manifest))
    (tmp_path / "notes.txt").write_text("no YAML: [")
    ran = run("render", "-f", str(tmp_path))
    assert ran.returncode == 0, ran.stderr
    assert "PatternRunner a: SlotsKnown: UnknownSlot: spec.backendBindings: cash: keyvalue has" in ran.stderr


WRONG = {
    "a port of none": (("serve", "--port", "99999"), "must be from 1 to 65535"),
    "an address of none": (("manifests", "--hook-url", "nonsense"), "must read as in http://"),
}


@pytest.mark.parametrize(("arguments", "says"), WRONG.values(), ids=WRONG)
def test_a_wrong_option_is_said(arguments: tuple[str, ...], says: str) -> None:
    ran = run(*arguments)
    assert ran.returncode == 2
    assert says in ran.stderr


SETTINGS = {
    "a level of none": ({"PRISM_LOG_LEVEL": "verbose"}, "PRISM_LOG_LEVEL: Input should be"),
    "a store of none": ({"PRISM_REGISTRY_STORE": "nope://hunter2"}, "PRISM_REGISTRY_STORE: the store cannot be opened"),
}


@pytest.mark.parametrize(("environ", "says"), SETTINGS.values(), ids=SETTINGS)
def test_a_malformed_setting_is_said(environ: dict[str, str], says: str) -> None:
    ran = subprocess.run(
        [OPERATOR, "serve", "--embedded-registry"],
        env=os.environ | environ,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert ran.returncode == 2
    assert says in ran.stderr
    assert "Traceback" not in ran.stderr
    assert "hunter2" not in ran.stderr


def test_a_missing_file_is_said() -> None:
    ran = run("render", "-f", "nowhere.yaml")
    assert ran.returncode == 1
    assert "nowhere.yaml" in ran.stderr


def test_a_malformed_setting_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRISM_MAX_WAITING", "many")
    ran = run("serve", "--port", "1")
    assert ran.returncode == 2
    assert "PRISM_MAX_WAITING" in ran.stderr
