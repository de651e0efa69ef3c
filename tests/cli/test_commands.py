"""The command line, as a user runs it."""

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
    "an unknown field": (SAMPLES[0].read_text() + "  patern: x\n", "unknown field spec.patern"),
    "an unknown kind": (SAMPLES[0].read_text().replace("PatternRunner", "PatternRuner"), "no kind PatternRuner"),
}


@pytest.mark.parametrize(("text", "says"), BAD.values(), ids=BAD)
def test_render_refuses_what_a_cluster_would(text: str, says: str) -> None:
    ran = run("render", "-f", "-", given=text)
    assert ran.returncode == 1
    assert says in ran.stderr
    assert "Traceback" not in ran.stderr


def test_a_missing_file_is_said() -> None:
    ran = run("render", "-f", "nowhere.yaml")
    assert ran.returncode == 1
    assert "nowhere.yaml" in ran.stderr


def test_a_malformed_setting_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRISM_MAX_WAITING", "many")
    ran = run("serve", "--port", "1")
    assert ran.returncode == 2
    assert "PRISM_MAX_WAITING" in ran.stderr
