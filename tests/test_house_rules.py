"""Habits of meaning that a linter does not know."""

import re
from pathlib import Path

import pytest
from django.apps import apps
from django.db import models

from madoguchi.audit.rules import VERB_LABELS

ROOT = Path(__file__).resolve().parent.parent
GLOSSARY = (ROOT / "docs/GLOSSARY.md").read_text(encoding="utf-8").splitlines()
OURS = [model for model in apps.get_models() if model.__module__.startswith("madoguchi.")]
CODE = [
    file
    for file in (ROOT / "madoguchi").rglob("*.py")
    if not {"tests", "migrations"} & set(file.parts)
]
# Texts that hold no person: what the city says of itself, fixed choices and machine values.
NOT_PERSONAL = {"offices.Division.duties", "booking.Service.bring"}


@pytest.mark.parametrize("model", OURS, ids=lambda model: model._meta.label)
class TestModel:
    def test_it_is_in_the_glossary(self, model: type[models.Model]) -> None:
        term = str(model._meta.verbose_name)

        rows = [row for row in GLOSSARY if row.startswith(f"| {term} |")]

        assert any(f"`{model._meta.label}`" in row for row in rows)
        assert (model.__doc__ or "").strip().startswith(f"{term} — ")

    def test_it_says_which_fields_are_personal(self, model: type[models.Model]) -> None:
        personal = getattr(model, "personal_fields", None)

        assert personal is not None
        assert set(personal) <= {field.name for field in model._meta.get_fields()}


def test_every_verb_of_the_trail_has_words() -> None:
    used = {
        verb
        for file in CODE
        for verb in re.findall(r'verb="([a-z_]+\.[a-z_]+)"', file.read_text(encoding="utf-8"))
    }

    assert used
    assert sorted(used - set(VERB_LABELS)) == []


def test_secret_contacts_are_opened_in_one_app_only() -> None:
    openers = {
        file.relative_to(ROOT).parts[1]
        for file in CODE
        if re.search(r"\bopened\(|\._value\b", file.read_text(encoding="utf-8"))
    }

    assert openers == {"residents"}
