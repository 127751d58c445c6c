"""From a draft to the public page, by two people."""

import pytest
from django.db import IntegrityError, transaction
from django.test import Client

from madoguchi.audit.models import AuditEvent
from madoguchi.knowledge import actions
from madoguchi.knowledge.models import Faq, FaqVersion
from madoguchi.knowledge.rules import Status, publication
from madoguchi.staff.rules import Role
from tests import make

pytestmark = pytest.mark.django_db


def texts(**changed: object) -> dict[str, object]:
    return {
        "question": "住民票はどこで取れますか。",
        "answer": "市民課で取れます。",
        "category": "行政手続・市政",
        "asked": "",
        "division": "",
        "review_on": "",
    } | changed


def test_whoever_wrote_a_text_cannot_approve_it() -> None:
    head = make.staff(Role.CENTRE_HEAD)
    faq = make.faq(is_public=False, author=head)
    actions.propose(faq=faq, by=head, at=make.NOW)

    with pytest.raises(publication.AuthorMayNotApprove):
        actions.approve(faq=faq, by=head, at=make.NOW)

    faq.refresh_from_db()
    assert (faq.status, faq.live) == (Status.PROPOSED, None)


def test_the_table_refuses_a_version_approved_by_its_author() -> None:
    author = make.staff()
    faq = make.faq(is_public=False, author=author)

    with pytest.raises(IntegrityError), transaction.atomic():
        FaqVersion.objects.create(
            faq=faq,
            number=1,
            question="問",
            answer="答",
            author=author,
            approved_by=author,
            published_at=make.NOW,
        )


def test_the_table_refuses_a_version_of_one_person_alone() -> None:
    author = make.staff()
    faq = make.faq(is_public=False, author=author)

    with pytest.raises(IntegrityError), transaction.atomic():
        FaqVersion.objects.create(
            faq=faq, number=1, question="問", answer="答", author=author, published_at=make.NOW
        )


@pytest.mark.parametrize(
    "wrong",
    [
        {"status": Status.PUBLISHED.value},
        {"status": Status.PROPOSED.value, "proposed_at": None},
    ],
)
def test_the_table_refuses_a_state_without_what_belongs_to_it(wrong: dict[str, object]) -> None:
    faq = make.faq(is_public=False)

    with pytest.raises(IntegrityError), transaction.atomic():
        Faq.objects.filter(pk=faq.pk).update(**wrong)


def test_a_retired_one_has_no_public_text_in_the_table() -> None:
    faq = make.faq()

    with pytest.raises(IntegrityError), transaction.atomic():
        Faq.objects.filter(pk=faq.pk).update(status=Status.RETIRED.value)


def test_every_step_leaves_one_line_in_the_trail() -> None:
    faq = make.faq()

    verbs = list(AuditEvent.objects.filter(target_key=faq.key).values_list("verb", flat=True))

    assert sorted(verbs) == ["faq.approve", "faq.draft", "faq.propose"]


def test_the_public_text_stays_until_the_new_one_is_approved() -> None:
    faq = make.faq(answer="転入届を出してください。")
    author = make.staff()

    actions.edit(
        faq=faq,
        question=faq.question,
        answer="転入届をオンラインで出せます。",
        category=faq.category,
        division=None,
        by=author,
        at=make.NOW,
    )
    before = Faq.objects.get(pk=faq.pk)
    assert before.public_text.answer == "転入届を出してください。"
    assert before.status == Status.DRAFT

    actions.propose(faq=faq, by=author, at=make.NOW)
    actions.approve(faq=faq, by=make.staff(Role.CENTRE_HEAD), at=make.NOW)

    after = Faq.objects.get(pk=faq.pk)
    assert after.public_text.answer == "転入届をオンラインで出せます。"
    assert list(after.versions.order_by("number").values_list("number", flat=True)) == [1, 2]


def test_a_proposal_is_sent_back_with_its_reason(client: Client) -> None:
    faq = make.faq(is_public=False)
    actions.propose(faq=faq, by=make.staff(), at=make.NOW)
    client.force_login(make.staff(Role.CENTRE_HEAD))

    refused = client.post(f"/staff/faqs/{faq.key}/return/", {"reason": ""})
    client.post(f"/staff/faqs/{faq.key}/return/", {"reason": "手数料を書いてください。"})

    faq.refresh_from_db()
    assert refused.status_code == 200
    assert (faq.status, faq.remark) == (Status.DRAFT, "手数料を書いてください。")
    assert "手数料を書いてください。" in client.get(f"/staff/faqs/{faq.key}/").content.decode()


def test_a_draft_cannot_be_approved_without_having_been_proposed() -> None:
    faq = make.faq(is_public=False)

    with pytest.raises(publication.StepNotAllowed):
        actions.approve(faq=faq, by=make.staff(Role.CENTRE_HEAD), at=make.NOW)


class TestPages:
    def test_what_the_approver_sees_is_the_difference(self, client: Client) -> None:
        faq = make.faq(answer="手数料は300円です。")
        actions.edit(
            faq=faq,
            question=faq.question,
            answer="手数料は350円です。",
            category=faq.category,
            division=None,
            by=make.staff(),
            at=make.NOW,
        )
        client.force_login(make.staff(Role.CENTRE_HEAD))

        page = client.get(f"/staff/faqs/{faq.key}/").content.decode()

        assert "<del>300</del><ins>350</ins>" in page

    def test_bad_input_is_kept_and_named(self, client: Client) -> None:
        client.force_login(make.staff())

        page = client.post(
            "/staff/faqs/new/", texts(question="", answer="残る文", review_on="来年")
        ).content.decode()

        assert "残る文" in page
        assert "来年" in page
        assert "日付として読めません" in page
        assert not Faq.objects.exists()

    def test_another_division_neither_sees_a_draft_nor_changes_what_is_public(
        self, client: Client
    ) -> None:
        draft = make.faq(is_public=False, division=make.division("保育課"))
        public = make.faq(division=make.division("保育課"))
        client.force_login(make.staff(Role.OFFICER, division=make.division("環境課")))

        assert client.get(f"/staff/faqs/{draft.key}/").status_code == 404
        assert client.get(f"/staff/faqs/{public.key}/").status_code == 200
        assert client.get(f"/staff/faqs/{public.key}/text/").status_code == 403
        assert draft.key not in client.get("/staff/faqs/").content.decode()

    def test_a_supervisor_approves_for_the_own_division_only(self, client: Client) -> None:
        faq = make.faq(is_public=False, division=make.division("保育課"))
        actions.propose(faq=faq, by=make.staff(), at=make.NOW)
        for division, answer in (("環境課", 404), ("保育課", 302)):
            client.force_login(make.staff(Role.SUPERVISOR, division=make.division(division)))

            assert client.post(f"/staff/faqs/{faq.key}/approval/").status_code == answer

    def test_who_writes_does_not_approve_or_retire(self, client: Client) -> None:
        faq = make.faq()
        client.force_login(make.staff(Role.COUNSELLOR))

        assert client.post(f"/staff/faqs/{faq.key}/approval/").status_code == 403
        assert client.post(f"/staff/faqs/{faq.key}/retirement/").status_code == 403
