"""The import contracts, as a test: ``make lint`` checks them too."""

import subprocess
import sys
from pathlib import Path

from app.generate.files import ROOT


def test_import_contracts_hold() -> None:
    ran = subprocess.run(
        [str(Path(sys.executable).parent / "lint-imports")], capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert ran.returncode == 0, ran.stdout


def test_no_module_is_longer_than_an_afternoon_allows() -> None:
    long = {path.name: len(path.read_text().splitlines()) for path in (ROOT / "app").rglob("*.py")}
    assert {name: lines for name, lines in long.items() if lines > 200} == {}
