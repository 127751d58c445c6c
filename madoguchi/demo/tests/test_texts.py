from random import Random

import pytest

from madoguchi.casework.rules import STANDARD_CATEGORIES
from madoguchi.demo import city, texts


def test_no_two_matters_are_told_alike() -> None:
    rng = Random(1)
    weights = [matter.weight for matter in texts.matters()]

    told = [
        texts.tell(matter, rng=rng, is_in_person=rng.random() < 0.5)
        for matter in rng.choices(texts.matters(), weights, k=5000)
    ]

    assert len({(each.title, each.summary) for each in told}) > 4400
    assert len(set(told)) > 4900
    for each in told:
        for text in (each.title, each.summary, each.note, each.outcome, each.conclusion):
            assert text
            assert not set("{}[]|/") & set(text), text


@pytest.mark.parametrize("matter", texts.matters(), ids=lambda matter: matter.category)
def test_every_matter_belongs_to_a_field_and_a_division_that_exist(
    matter: texts.Matter,
) -> None:
    assert set(matter.lines) == set(texts.FIELDS.values())
    assert matter.category in {code for code, _ in STANDARD_CATEGORIES}
    assert matter.division in {division.name for division in city.DIVISIONS}
