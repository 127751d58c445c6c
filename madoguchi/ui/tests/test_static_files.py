import re
from pathlib import Path

import pytest
from django.core.management import call_command
from pytest_django import Settings

CSS = Path(__file__).parents[1] / "static" / "ui" / "css"


@pytest.fixture
def collected(settings: Settings, tmp_path: Path) -> Path:
    settings.STATIC_ROOT = tmp_path
    call_command("collectstatic", interactive=False, verbosity=0)
    return tmp_path


def test_the_stylesheet_is_collected_in_one_piece_with_its_layers(collected: Path) -> None:
    (bundle,) = [file for file in collected.glob("ui/ui.*.css") if len(file.suffixes) == 2]

    text = bundle.read_text()
    assert "@import" not in text
    assert "--color-primitive-blue-900" in text
    for component in CSS.glob("*.css"):
        assert component.read_text() in text
    assert text.index("@layer reset, tokens, base, components") < text.index("@layer tokens {")


def test_a_second_collection_takes_a_changed_component(
    collected: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {file.name for file in collected.glob("ui/ui.*.css")}

    call_command("collectstatic", interactive=False, verbosity=0)

    assert {file.name for file in collected.glob("ui/ui.*.css")} == before


def test_our_own_styles_use_only_tokens_for_colours() -> None:
    for file in CSS.glob("*.css"):
        assert not re.search(r"#[0-9a-fA-F]{3,8}\b|\brgba?\(|\bhsla?\(", file.read_text()), file


def test_every_component_file_is_part_of_the_stylesheet() -> None:
    sheet = (CSS.parent / "ui.css").read_text()

    assert {file.name for file in CSS.glob("*.css")} == set(
        re.findall(r"css/([\w-]+\.css)", sheet)
    )
