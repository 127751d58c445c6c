"""Each import contract is seen to break: a contract that no import can break holds nothing."""

import shutil
import subprocess
import sys
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).resolve().parent.parent

BREACHES = [
    (
        "The house stands in this order",
        "madoguchi/foundation/errors.py",
        "from madoguchi.staff import models",
    ),
    (
        "Every room has the same walls",
        "madoguchi/staff/rules.py",
        "from madoguchi.staff import models",
    ),
    ("Rules are plain Python", "madoguchi/staff/rules.py", "import django"),
    (
        "Rules are plain Python",
        "madoguchi/audit/rules.py",
        "from madoguchi.foundation import jobs",
    ),
    (
        "No cycles between apps",
        "madoguchi/audit/models.py",
        "from madoguchi.residents import models",
    ),
    (
        "Nothing in the product imports its configuration",
        "madoguchi/staff/models.py",
        "import config.settings",
    ),
    (
        "Sensors and product do not know each other",
        "sensors/__init__.py",
        "import madoguchi.offices.models",
    ),
    (
        "Views, sockets, forms, tasks and APIs are private",
        "madoguchi/staffsite/access.py",
        "from madoguchi.casework import forms",
    ),
]


def house(at: Path) -> Path:
    for name in ("config", "madoguchi", "sensors"):
        shutil.copytree(
            ROOT / name,
            at / name,
            ignore=shutil.ignore_patterns("__pycache__", "static", "templates", "*.csv"),
        )
    shutil.copy(ROOT / "pyproject.toml", at)
    return at


def lint(at: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [Path(sys.executable).parent / "lint-imports", "--no-cache"],
        cwd=at,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_house_stands(tmp_path: Path) -> None:
    result = lint(house(tmp_path))

    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize(("contract", "file", "line"), BREACHES)
def test_a_breach_is_seen(tmp_path: Path, contract: str, file: str, line: str) -> None:
    at = house(tmp_path)
    wall = at / file
    wall.write_text(f"{line}  # noqa\n{wall.read_text(encoding='utf-8')}", encoding="utf-8")

    result = lint(at)

    assert result.returncode == 1
    assert any(contract in row and "BROKEN" in row for row in result.stdout.splitlines())


PRIVATE = {"views", "sockets", "forms", "tasks", "api"}


def reaching_in(graph: grimp.ImportGraph) -> set[tuple[str, str]]:
    """Return the imports that reach into another app's private rooms."""
    return {
        (importer, imported)
        for imported in graph.modules
        if len(parts := imported.split(".")) >= 3 and parts[2] in PRIVATE
        for importer in graph.find_modules_that_directly_import(imported)
        if importer.split(".")[1] != parts[1]
    }


def test_no_app_reaches_into_the_private_rooms_of_another() -> None:
    graph = grimp.build_graph("madoguchi", cache_dir=None)

    assert reaching_in(graph) == set()

    graph.add_import(importer="madoguchi.casework.views", imported="madoguchi.booking.forms")
    assert reaching_in(graph) == {("madoguchi.casework.views", "madoguchi.booking.forms")}


def test_a_new_app_must_be_placed(tmp_path: Path) -> None:
    at = house(tmp_path)
    (at / "madoguchi" / "annex").mkdir()
    (at / "madoguchi" / "annex" / "__init__.py").touch()

    result = lint(at)

    assert result.returncode == 1
    assert "annex" in result.stdout
