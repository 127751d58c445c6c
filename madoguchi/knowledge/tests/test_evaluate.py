import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from madoguchi.knowledge.rules import evaluation
from tests import make


def test_the_measures_of_a_ranking_worked_out_by_hand() -> None:
    scores = evaluation.measure(["x", "a", "b"], {"a": 2, "b": 1, "c": 1})

    assert scores.average_precision == pytest.approx((1 / 2 + 2 / 3) / 3)
    assert scores.reciprocal_rank == pytest.approx(1 / 2)
    assert scores.recall_10 == pytest.approx(2 / 3)
    assert scores.hit_3 == 1.0
    # DCG = 3/log2(3) + 1/log2(4); ideal = 3/log2(2) + 1/log2(3) + 1/log2(4)
    assert scores.ndcg_10 == pytest.approx((3 / 1.5849625 + 0.5) / (3 + 1 / 1.5849625 + 0.5))


def test_rows_of_one_question_are_merged_and_comments_skipped() -> None:
    judged = evaluation.read_judgements(["# 注", "ごみ\ta,b\t2", "ごみ\tc\t1", ""])

    assert judged == [evaluation.Judged("ごみ", {"a": 2, "b": 2, "c": 1})]


def test_equal_rankings_differ_by_nothing() -> None:
    scores = [evaluation.measure(["a"], {"a": 2})] * 5

    assert evaluation.differences(scores, scores)["ndcg_10"] == (0.0, 0.0, 0.0)


@pytest.mark.django_db
def test_the_command_measures_the_search_and_compares(tmp_path: Path) -> None:
    faq = make.faq("ごみの袋はどこで買えますか。", "店で買えます。")
    file = tmp_path / "questions.tsv"
    file.write_text(f"ごみの袋\t{faq.key}\t2\n宇宙旅行\t{faq.key}\t1\n", encoding="utf-8")
    output = StringIO()

    call_command("evaluate", str(file), against="plain", format="json", stdout=output)

    report = json.loads(output.getvalue())
    assert report["measures"]["MRR"] == 0.5
    assert report["without_a_hit_in_10"] == 1
    assert report["differences"]["MRR"]["mean"] == 0.0


@pytest.mark.parametrize("config", ["nonsense", "main=x", "unknown=1"])
@pytest.mark.django_db
def test_an_unknown_configuration_is_refused(tmp_path: Path, config: str) -> None:
    file = tmp_path / "questions.tsv"
    file.write_text("ごみ\tK1\t2\n", encoding="utf-8")

    with pytest.raises(CommandError):
        call_command("evaluate", str(file), against=config, stdout=StringIO())
