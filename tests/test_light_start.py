"""What the processes of the product load at their start, and what they must not."""

import subprocess
import sys

import pytest

# Each costs tens of megabytes in every process; they are loaded where they are used.
HEAVY = ("numpy", "pandas", "scipy", "sklearn", "ortools", "openpyxl", "linebot", "aiohttp", "PIL")
LOADED = """
import sys, os
os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
import django
django.setup()
from django.urls import get_resolver
get_resolver().url_patterns
import config.web
print(*sorted({name.partition(".")[0] for name in sys.modules}))
"""


@pytest.fixture(scope="module")
def loaded() -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", LOADED], capture_output=True, text=True, check=True
    )
    return set(done.stdout.split())


@pytest.mark.parametrize("package", HEAVY)
def test_a_heavy_package_is_not_loaded_at_the_start(loaded: set[str], package: str) -> None:
    assert "django" in loaded
    assert package not in loaded
