import re
from pathlib import Path

import pytest

from config import env

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
READ = re.compile(r'env\.\w+\(\s*(?:#[^\n]*\n\s*)?"([A-Z_]+)"')
ASKED = re.findall(
    READ,
    "\n".join(
        file.read_text(encoding="utf-8")
        for folder in ("config", "madoguchi")
        for file in sorted((ROOT / folder).rglob("*.py"))
    ),
)


@pytest.mark.parametrize("name", sorted(set(ASKED)))
def test_every_setting_stands_in_the_page_for_operators(name: str) -> None:
    assert f"| `{env.PREFIX}{name}` |" in PAGE


def test_the_settings_are_found_at_all() -> None:
    assert {"DATA", "DATABASE_URL", "SECRET_KEY", "SEARCH_WEIGHTS"} <= set(ASKED)


def test_the_page_names_no_setting_that_nobody_reads() -> None:
    named = set(re.findall(rf"^\| `{env.PREFIX}([A-Z_]+)` \|", PAGE, re.MULTILINE))

    assert named - {"ADMIN_USERNAME", "ADMIN_NAME", "ADMIN_DIVISION"} == set(ASKED)


def test_a_secret_may_stand_in_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "password"
    file.write_text("ひみつ")
    monkeypatch.setenv("MADOGUCHI_SMTP_PASSWORD_FILE", str(file))

    assert env.env.str("SMTP_PASSWORD", "") == "ひみつ"
