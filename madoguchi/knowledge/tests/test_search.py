import threading
from datetime import timedelta

import pytest
from django.core.checks import run_checks
from django.core.management import call_command
from django.db import connection, connections, models, transaction
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from madoguchi.foundation.limits import Limit
from madoguchi.knowledge import access, actions, analyser, index, queries
from madoguchi.knowledge.models import Faq, SearchDoc, SearchTerm
from madoguchi.staff.rules import Role
from tests import make


def found(q: str) -> list[str]:
    return [hit.text.question for hit in queries.search(q)]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("asked", "written"),
    [
        ("障害", "障がいのある方の手帳はどこで申請しますか。"),
        ("障碍", "障がいのある方の手帳はどこで申請しますか。"),
        ("引っ越し", "引越しをしたら何を届けますか。"),
        ("引越", "引っ越しをしたら何を届けますか。"),
        ("高橋", "髙橋記念館は何時に開きますか。"),
        ("髙橋", "高橋記念館は何時に開きますか。"),
        ("葛飾", "葛󠄀飾北斎の絵はどこで見られますか。"),
        ("ごみ", "ゴミはいつ出しますか。"),
        ("ゴミ", "ごみはいつ出しますか。"),
        ("ﾏｲﾅﾝﾊﾞｰ", "マイナンバーカードを作りたいです。"),
        ("２０歳", "20歳になったら年金に入りますか。"),
        ("問合せ", "問い合わせ先を知りたいです。"),
        ("子供", "こどもの医療費は無料ですか。"),
        ("犬", "飼い犬の登録をしたいです。"),
        ("転居", "引っ越しの届けを出したいです。"),
    ],
)
def test_another_spelling_or_another_word_finds_it(asked: str, written: str) -> None:
    make.faq(written, "市役所でご案内します。")
    make.faq("図書館は何曜日が休みですか。", "月曜日です。")

    assert found(asked) == [written]


@pytest.mark.django_db
def test_other_wordings_of_the_editors_are_found() -> None:
    make.faq("転入の届出について", "14日以内です。", asked="越してきたらどうすればいい")

    assert found("越してきた") == ["転入の届出について"]


@pytest.mark.django_db
def test_only_what_is_public_is_found() -> None:
    draft = make.faq("下書きの駐輪場", is_public=False)
    retired = make.faq("取り下げた駐輪場")
    actions.retire(faq=retired, by=make.staff(Role.CENTRE_HEAD), at=make.NOW)

    assert found("駐輪場") == []
    assert (draft.live, Faq.objects.get(pk=retired.pk).live) == (None, None)


@pytest.mark.django_db
def test_a_new_text_is_found_at_once_and_the_former_no_more() -> None:
    faq = make.faq("駐輪場はどこですか。", "駅前です。")
    author = make.staff()
    actions.edit(
        faq=faq,
        question="温水プールはどこですか。",
        answer="港です。",
        category="",
        division=None,
        by=author,
        at=make.NOW,
    )
    assert found("駐輪場") == ["駐輪場はどこですか。"]

    actions.propose(faq=faq, by=author, at=make.NOW)
    actions.approve(faq=faq, by=make.staff(Role.CENTRE_HEAD), at=make.NOW)

    assert found("駐輪場") == []
    assert found("プール") == ["温水プールはどこですか。"]


@pytest.mark.django_db
def test_a_rollback_leaves_no_word_in_the_index() -> None:
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        make.faq("駐輪場はどこですか。")
        raise ZeroDivisionError

    assert found("駐輪場") == []
    assert not SearchTerm.objects.filter(word="駐輪", documents__gt=0).exists()


@pytest.mark.django_db
def test_the_counts_of_words_agree_with_the_documents_after_changes() -> None:
    kept = make.faq("ごみの出し方", "朝8時までに出してください。")
    gone = make.faq("ごみの袋", "店で買えます。")
    actions.retire(faq=gone, by=make.staff(Role.CENTRE_HEAD), at=make.NOW)

    [doc] = SearchDoc.objects.all()
    words = {*doc.title_words.split(), *doc.body_words.split(), *doc.senses.split()}
    counted = dict(SearchTerm.objects.exclude(documents=0).values_list("word", "documents"))
    assert doc.faq_id == kept.pk
    assert counted == dict.fromkeys(words, 1)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "q",
    [
        "",
        "   ",
        "の は を",
        '"',
        "'",
        "\\",
        "*",
        "NEAR(ごみ 袋)",
        "ごみ AND",
        "ごみ' OR 1=1 --",
        "title_words:ごみ",
        "🎉🎉",
        "\0",
        "x" * 500,
        "長" * 60_000,
        "(((",
        "^ごみ",
    ],
)
def test_nothing_that_is_typed_breaks_the_search(q: str) -> None:
    make.faq("ごみの袋", "店で買えます。")

    queries.search(q)


@pytest.mark.django_db
def test_a_manual_of_fifty_thousand_characters_is_analysed() -> None:
    long = "転入届を出してください。" * 5_000

    assert len(analyser.analyse(long).words) == 5_000 * len(
        analyser.analyse("転入届を出してください。").words
    )
    assert make.faq("長い手引き", long[:20_000])


@pytest.mark.django_db
def test_the_better_match_stands_first_and_scores_lie_between_nought_and_one() -> None:
    make.faq("住民票の写しを取りたいです。", "市民課へ。")
    make.faq("駐車場はありますか。", "あります。住民票を取る方は無料です。")

    hits = queries.search("住民票の写し")

    assert [hit.text.question for hit in hits] == [
        "住民票の写しを取りたいです。",
        "駐車場はありますか。",
    ]
    assert 1 >= hits[0].score > hits[1].score > 0


@pytest.mark.django_db
def test_a_search_asks_the_database_a_fixed_number_of_times(
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    for number in range(12):
        make.faq(f"ごみの出し方{number}", "朝までに。")

    with django_assert_max_num_queries(7):
        assert len(queries.search("ごみの出し方")) == 10


@pytest.mark.django_db(transaction=True)
def test_four_people_search_at_once() -> None:
    make.faq("ごみの袋はどこで買えますか。", "店で買えます。")
    failures: list[BaseException] = []

    def work() -> None:
        try:
            for _ in range(25):
                assert queries.search("ごみの袋")
        except BaseException as failure:
            failures.append(failure)
        finally:
            connections.close_all()

    people = [threading.Thread(target=work) for _ in range(4)]
    for person in people:
        person.start()
    for person in people:
        person.join()

    assert failures == []


@pytest.mark.django_db
def test_another_analyser_makes_stale_documents_and_reindex_mends_them(
    capsys: pytest.CaptureFixture[str],
) -> None:
    make.faq("ごみの袋", "店で買えます。")
    SearchDoc.objects.update(analyser_revision="former", title_words="壊れた")
    assert queries.unindexed().count() == 1

    call_command("search_reindex", "--stale")

    assert queries.unindexed().count() == 0
    assert found("袋") == ["ごみの袋"]


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL keeps its index by itself")
class TestTriggers:
    @pytest.mark.django_db(transaction=True)
    def test_a_lost_trigger_is_an_error_and_reindex_brings_it_back(self) -> None:
        make.faq("ごみの袋", "店で買えます。")
        with connection.cursor() as cursor:
            cursor.execute(f"DROP TRIGGER {index.FTS}_insert")
        make.faq("駐輪場", "駅前です。")
        assert found("駐輪場") == []
        assert "knowledge.E001" in {one.id for one in run_checks(databases=["default"])}

        call_command("search_reindex", verbosity=0)

        assert found("駐輪場") == ["駐輪場"]
        assert "knowledge.E001" not in {one.id for one in run_checks(databases=["default"])}

    @pytest.mark.django_db(transaction=True)
    def test_a_rebuilt_table_has_its_triggers_again_after_migrating(self) -> None:
        make.faq("ごみの袋", "店で買えます。")
        former = SearchDoc._meta.get_field("analyser_revision")
        wider = models.CharField(max_length=20, db_index=True)
        wider.set_attributes_from_name("analyser_revision")
        wider.model = SearchDoc
        with connection.schema_editor() as editor:
            editor.alter_field(SearchDoc, former, wider)
        assert len(index.missing_triggers()) == len(index.TRIGGERS)  # what Django does to them

        call_command("migrate", verbosity=0)

        assert index.missing_triggers() == []
        make.faq("駐輪場", "駅前です。")
        assert found("駐輪場") == ["駐輪場"]
        assert found("袋") == ["ごみの袋"]


@pytest.mark.django_db
class TestPages:
    def test_the_found_words_are_marked_and_the_way_back_is_there(self, client: Client) -> None:
        faq = make.faq("引っ越しの手続きは？", "転入届を出してください。")

        page = client.get("/faq/?q=引越し").content.decode()

        assert "<mark>引っ越し</mark>" in page
        assert f"/faq/{faq.key}/" in page

    def test_nothing_found_says_what_to_do(self, client: Client) -> None:
        make.faq()

        page = client.get("/faq/?q=宇宙旅行").content.decode()

        assert "見つからないときは" in page
        assert "別の言い方で探す" in page

    def test_a_draft_has_no_page(self, client: Client) -> None:
        faq = make.faq(is_public=False)

        assert client.get(f"/faq/{faq.key}/").status_code == 404
        assert client.post(f"/faq/{faq.key}/rating/", {"helped": "yes"}).status_code == 404

    def test_help_is_counted_and_nothing_else_is_kept(self, client: Client) -> None:
        faq = make.faq()

        for helped in ("yes", "yes", "no", "perhaps"):
            client.post(f"/faq/{faq.key}/rating/", {"helped": helped})

        faq.refresh_from_db()
        assert (faq.helped, faq.not_helped) == (2, 1)

    def test_what_is_typed_is_shown_as_text(self, client: Client) -> None:
        page = client.get("/faq/", {"q": "<script>alert(1)</script>"}).content.decode()

        assert "<script>alert(1)" not in page

    def test_the_list_of_the_staff_asks_a_fixed_number_of_times(
        self, client: Client, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        for _ in range(12):
            make.faq(division=make.division())
        client.force_login(make.staff())

        with django_assert_max_num_queries(16):
            client.get("/staff/faqs/")


@pytest.mark.django_db
class TestApi:
    def test_it_answers_with_id_question_answer_and_score(self, client: Client) -> None:
        faq = make.faq("ごみの袋はどこで買えますか。", "店で買えます。")

        results = client.get("/api/v1/faq?q=ごみの袋&limit=5").json()["results"]

        assert [(one["id"], one["question"], one["answer"]) for one in results] == [
            (faq.key, "ごみの袋はどこで買えますか。", "店で買えます。")
        ]
        assert 0 < results[0]["score"] <= 1

    @pytest.mark.parametrize(
        "wrong", [{}, {"q": ""}, {"q": "ごみ", "limit": 0}, {"q": "ごみ", "limit": 101}]
    )
    def test_a_wrong_question_is_answered_with_its_field(
        self, client: Client, wrong: dict[str, str | int]
    ) -> None:
        answer = client.get("/api/v1/faq", wrong)

        assert answer.status_code == 422
        assert answer.json()["detail"]

    def test_too_many_searches_from_one_address_must_wait(
        self, client: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        few = Limit(name="faq_search", times=2, span=timedelta(days=1))
        monkeypatch.setattr(access, "SEARCHES", few)
        answers = [client.get("/api/v1/faq?q=ごみ") for _ in range(3)]

        assert [answer.status_code for answer in answers] == [200, 200, 429]
        assert int(answers[2]["Retry-After"]) > 0
