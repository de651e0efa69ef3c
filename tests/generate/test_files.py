"""What is generated is what is checked in, and it says what the table of controllers says."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from app import __version__
from app.api.v1alpha1.common import Resource
from app.controllers import CONTROLLERS
from app.generate.files import ROOT, generated, install_manifests, kinds, stale, write
from app.generate.schema import structural

MANIFESTS = install_manifests(__version__, "image:1")
CONTROLLER = {row.name: made for row, made in zip(CONTROLLERS, MANIFESTS["controllers.yaml"], strict=True)}


def test_the_generated_files_are_checked_in() -> None:
    assert stale() == []


def test_a_difference_and_a_leftover_are_found(tmp_path: Path) -> None:
    assert write(tmp_path) == sorted(generated())
    (tmp_path / "crds" / "old.yaml").write_text("x")
    (tmp_path / "metacontroller" / "rbac.yaml").write_text("x")
    assert stale(tmp_path) == ["crds/old.yaml", "metacontroller/rbac.yaml"]
    write(tmp_path)
    assert stale(tmp_path) == []


@pytest.mark.parametrize("row", CONTROLLERS, ids=lambda row: row.name)
def test_controllers_use_what_metacontroller_needs_of_them(row: object) -> None:
    spec = CONTROLLER[row.name]["spec"]  # type: ignore[attr-defined]
    assert spec["generateSelector"] is True
    assert spec["parentResource"]["ignoreStatusChanges"] is True
    assert spec["resyncPeriodSeconds"] == 600
    assert all(child["updateStrategy"] == {"method": "InPlace"} for child in spec["childResources"])
    for hook, made in spec["hooks"].items():
        assert made["version"] == "v2"
        assert made["webhook"]["path"] == f"/hooks/{row.name}/{hook}?release={__version__}"  # type: ignore[attr-defined]


def test_one_generator_sets_the_release_of_the_path_and_of_the_pod() -> None:
    pod = MANIFESTS["operator.yaml"][2]["spec"]["template"]["spec"]["containers"][0]
    assert {"name": "PRISM_RELEASE", "value": __version__} in pod["env"]


def allowed(group: str, resource: str) -> set[str]:
    rules = MANIFESTS["rbac.yaml"][0]["rules"]
    return {verb for rule in rules if group in rule["apiGroups"] and resource in rule["resources"] for verb in rule["verbs"]}


@pytest.mark.parametrize("row", CONTROLLERS, ids=lambda row: row.name)
def test_metacontroller_may_do_what_the_table_asks_and_no_more(row: object) -> None:
    for kind in row.children:  # type: ignore[attr-defined]
        assert allowed(kind.group, kind.plural) >= {"get", "list", "watch", "create", "update", "patch", "delete"}
    for kind in row.related:  # type: ignore[attr-defined]
        assert allowed(kind.group, kind.plural) >= {"get", "list", "watch"}
    assert allowed("", "pods") == {"get", "list", "watch"}
    assert not any("*" in rule["verbs"] + rule["resources"] + rule["apiGroups"] for rule in MANIFESTS["rbac.yaml"][0]["rules"])


def test_a_service_outside_the_cluster_gets_its_url_and_no_workload() -> None:
    files = install_manifests("r2", "image:1", "http://127.0.0.1:8080/")
    assert set(files) == {"rbac.yaml", "controllers.yaml", "optional/monitoring.yaml"}
    webhook = files["controllers.yaml"][0]["spec"]["hooks"]["sync"]["webhook"]
    assert webhook["url"] == "http://127.0.0.1:8080/hooks/prism-runner/sync?release=r2"


def test_the_manifests_command_prints_them() -> None:
    command = [str(Path(sys.executable).parent / "prism-operator"), "manifests", "--crds", "--hook-url", "http://127.0.0.1:1"]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    printed = [document["kind"] for document in yaml.safe_load_all(ran.stdout)]
    assert printed[:2] == ["CustomResourceDefinition"] * 2
    assert printed.count("CompositeController") == len(CONTROLLERS)


@pytest.mark.parametrize("model", kinds(), ids=lambda model: model.__name__)
def test_every_field_is_explained(model: type[Resource]) -> None:
    """What ``kubectl explain`` shows of our own fields; fragments of core/v1 are explained by core/v1."""
    spec = structural(model)["properties"]["spec"]
    assert [name for name, field in spec["properties"].items() if not field.get("description")] == []


def test_no_defaults_inside_lists_or_status() -> None:
    """They would disturb an apply, or be pruned."""

    def walk(node: object, inside: bool, path: str) -> list[str]:
        if not isinstance(node, dict):
            return []
        found = [path] if inside and "default" in node else []
        for key, child in node.items():
            found += walk(child, inside or key in ("items", "status"), f"{path}.{key}")
        return found

    for model in kinds():
        fields = structural(model)["properties"]
        assert walk({"spec": fields["spec"]}, False, "") == []
        assert walk(fields["status"].get("properties"), True, "status") == []


def test_the_project_stands_alone() -> None:
    """No generated file, sample or lock names an address of a package index."""
    texts = [*ROOT.glob("*.lock"), *ROOT.glob("samples/*.yaml"), *ROOT.glob("crds/*.yaml")]
    assert texts
    assert not any("https://" in path.read_text() for path in texts)


def test_metacontroller_is_installed_under_the_account_that_the_rights_are_given_to() -> None:
    bound = next(each for each in yaml.safe_load_all((ROOT / "metacontroller/rbac.yaml").read_text()) if "subjects" in each)
    name = bound["subjects"][0]["name"]
    skaffold = yaml.safe_load((ROOT / "skaffold.yaml").read_text())["deploy"]["helm"]["releases"][0]
    assert skaffold["setValues"]["serviceAccount.name"] == name
    assert f"--set serviceAccount.name={name}" in (ROOT / "README.md").read_text()
