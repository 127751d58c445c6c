import io
from datetime import datetime, timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from openpyxl import load_workbook
from pypdf import PdfReader
from pytest_django import DjangoAssertNumQueries

from madoguchi.audit.models import AuditEvent
from madoguchi.booking.models import Service
from madoguchi.booking.rules import Stage
from madoguchi.foundation.dates import wareki
from madoguchi.introduction import actions, queries, rules
from madoguchi.introduction.models import Assumption, DeskEvent, ExpectedQuestion, StageChange
from madoguchi.introduction.rules import Event, texts
from madoguchi.reception.rules import Remark
from madoguchi.staff.models import User
from madoguchi.staff.rules import Role
from tests import make

pytestmark = pytest.mark.django_db

TODAY = timezone.localdate()
SOON = TODAY + timedelta(days=40)


@pytest.fixture
def head(client: Client) -> User:
    user = make.staff(Role.CENTRE_HEAD)
    client.force_login(user)
    return user


def page(name: str, service: Service) -> str:
    return reverse(f"introduction:{name}", args=[service.code])


def text(client: Client, address: str) -> str:
    return client.get(address).content.decode()


def announced() -> Service:
    return make.service(stage=Stage.ANNOUNCED.value)


def planned(service: Service, by: User) -> StageChange:
    return actions.propose(
        service=service, stage=Stage.REQUIRED, on=SOON, by=by, at=timezone.now()
    )


class TestWizard:
    def test_the_way_from_a_plan_to_the_go(self, client: Client, head: User) -> None:
        service = announced()

        client.post(page("propose", service), {"stage": "required", "on": SOON.isoformat()})
        change = StageChange.objects.get()
        assert "承認する（GO）" not in text(client, page("introduction", service))

        client.force_login(make.staff(Role.CENTRE_HEAD))
        assert "承認する（GO）" in text(client, page("introduction", service))
        client.post(reverse("introduction:approve", args=[change.pk]))

        assert StageChange.objects.get().status == rules.Change.APPROVED
        assert "承認済み（GO）" in text(client, page("introduction", service))

    def test_the_public_is_told_beforehand_once_it_is_approved(
        self, client: Client, head: User
    ) -> None:
        change = planned(announced(), make.staff(Role.SUPERVISOR))
        address = reverse("booking:service", args=[change.service.code])
        words = f"{wareki(SOON)}から予約制になります"
        assert words not in text(client, address)

        actions.approve(change=change, by=head, at=timezone.now())
        assert words in text(client, address)

        actions.stop(change=change, reason="延期", by=head, at=timezone.now())
        assert words not in text(client, address)

    def test_a_date_that_cannot_be_keeps_what_was_typed(self, client: Client, head: User) -> None:
        answer = client.post(
            page("propose", announced()),
            {"stage": "required", "on": TODAY.isoformat(), "reason": "混むため"},
        )

        assert "明日より後" in answer.content.decode()
        assert "混むため" in answer.content.decode()

    def test_the_press_of_who_planned_it_is_refused(self, client: Client, head: User) -> None:
        change = planned(announced(), head)

        answer = client.post(reverse("introduction:approve", args=[change.pk]), follow=True)

        assert "計画した人は承認できません" in answer.content.decode()

    def test_the_administrator_plans_and_does_not_approve(self, client: Client) -> None:
        change = planned(announced(), make.staff(Role.CENTRE_HEAD))
        client.force_login(make.staff(Role.ADMIN))

        assert "承認する（GO）" not in text(client, page("introduction", change.service))
        assert client.post(reverse("introduction:approve", args=[change.pk])).status_code == 403

    def test_short_notice_is_marked(self, client: Client, head: User) -> None:
        service = announced()
        actions.propose(
            service=service,
            stage=Stage.REQUIRED,
            on=TODAY + timedelta(days=10),
            by=head,
            at=timezone.now(),
        )

        assert "4週間未満" in text(client, page("introduction", service))

    def test_stopping_and_going_back_ask_for_a_reason(self, client: Client, head: User) -> None:
        service = make.service(stage=Stage.REQUIRED.value)
        change = actions.propose(
            service=service, stage=Stage.ONLINE, on=SOON, by=head, at=timezone.now()
        )

        for address, more in (
            (reverse("introduction:stop", args=[change.pk]), {}),
            (page("go_back", service), {"stage": "announced"}),
        ):
            assert "理由を入力" in client.post(address, {"reason": "", **more}).content.decode()
        assert Service.objects.get().stage == Stage.REQUIRED

        client.post(page("go_back", service), {"stage": "announced", "reason": "苦情が多い"})
        assert Service.objects.get().stage == Stage.ANNOUNCED

    def test_progress_is_what_has_been_done(self, client: Client, head: User) -> None:
        service = announced()
        assert queries.standing(service).done == 0

        planned(service, head)
        actions.save_questions(
            service=service, rows=texts.QUESTIONS[:1], by=head, at=timezone.now()
        )

        standing = queries.standing(service)
        assert [task.is_done for task in standing.tasks] == [True, False, True, False, False]
        assert standing.step == 2
        assert "2 / 5" in text(client, reverse("introduction:introductions"))

    def test_the_list_asks_the_same_few_questions_however_long_it_is(
        self, client: Client, head: User, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        for number in range(6):
            planned(make.service(f"手続き{number}", stage="announced", counters=[]), head)

        with django_assert_num_queries(5):
            queries.standings(Service.objects.all())


class TestQuestions:
    def test_the_house_begins_with_its_own(self, client: Client, head: User) -> None:
        assert "予約なしで来た場合" in text(client, page("introduction", announced()))

    def test_they_are_edited_and_emptied(self, client: Client, head: User) -> None:
        service = announced()
        client.post(
            page("save_questions", service),
            {
                "form-TOTAL_FORMS": "2",
                "form-INITIAL_FORMS": "2",
                "form-0-question": "だれが決めたのですか。",
                "form-0-answer": "課で話し合って決めました。",
                "form-1-question": "",
                "form-1-answer": "",
            },
        )

        assert ExpectedQuestion.objects.get().question == "だれが決めたのですか。"
        assert "予約なしで来た場合" not in text(client, page("introduction", service))

    def test_a_question_without_an_answer_is_kept_on_the_form(
        self, client: Client, head: User
    ) -> None:
        answer = client.post(
            page("save_questions", announced()),
            {
                "form-TOTAL_FORMS": "1",
                "form-INITIAL_FORMS": "0",
                "form-0-question": "いつからですか。",
                "form-0-answer": "",
            },
        )

        assert "答えを入力してください" in answer.content.decode()
        assert "いつからですか。" in answer.content.decode()


class TestTrial:
    def test_it_is_shown_with_ranges_and_kept(self, client: Client, head: User) -> None:
        service = announced()
        first, last = rules.month_before(TODAY)
        day = first
        while day <= last:
            for hour in (9, 10, 11):
                arrived = datetime(day.year, day.month, day.day, hour, tzinfo=make.JST)
                make.visit(service, on=day, arrived_at=arrived)
            day += timedelta(days=1)
        asked = {
            "site": make.site().pk,
            "share_booking": 50,
            "no_show": 0,
            "per_hour": 2,
            "counters": 1,
        }

        found = client.get(page("trial", service), asked).content.decode()
        client.post(page("trial", service), asked)

        assert "試算：予約制（予約した方）" in found
        assert "お帰りいただく方" in found
        assert Assumption.objects.get().share_booking == 50
        assert queries.trial_lines(service, today=TODAY)[0][2] == "50％と仮定"

    def test_a_month_without_visits_says_what_to_do(self, client: Client, head: User) -> None:
        assert "翌月から試算できます" in text(client, page("trial", announced()))

    def test_a_share_beyond_all_is_told(self, client: Client, head: User) -> None:
        service = announced()
        asked = {"site": make.site().pk, "share_booking": 120, "no_show": 0}

        answer = client.get(page("trial", service), asked).content.decode()

        assert "100" in answer
        assert Assumption.objects.count() == 0

    def test_a_service_without_a_counter_says_so(self, client: Client, head: User) -> None:
        service = make.service(counters=[], stage="announced")

        assert "受け付ける窓口がありません" in text(client, page("trial", service))


def noted(service: Service, kind: Event, reason: Remark | None = None) -> DeskEvent:
    return actions.note_event(
        site=make.site(),
        service=service,
        kind=kind,
        reason=reason,
        by=make.staff(),
        at=timezone.now(),
    )


class TestReception:
    def url(self, kind: str) -> str:
        return reverse("introduction:note_event", args=[make.site().code, kind])

    def test_one_press_counts_somebody_sent_home_with_the_reason(self, client: Client) -> None:
        service = make.service()
        client.force_login(make.staff(Role.RECEPTION))

        answer = client.post(
            self.url("sent_home"),
            {"service": service.pk, "reason": "no_smartphone"},
            follow=True,
        )

        event = DeskEvent.objects.get()
        assert (event.kind, event.reason_without_booking) == ("sent_home", "no_smartphone")
        assert "1件、数えました" in answer.content.decode()

    def test_a_complaint_needs_no_reason(self, client: Client) -> None:
        service = make.service()
        client.force_login(make.staff(Role.RECEPTION))

        client.post(self.url("complaint"), {"service": service.pk})

        assert DeskEvent.objects.get().kind == "complaint"

    def test_without_a_service_nothing_is_counted(self, client: Client) -> None:
        client.force_login(make.staff(Role.RECEPTION))
        make.service()

        answer = client.post(self.url("complaint"), {}, follow=True)

        assert "選んでください" in answer.content.decode()
        assert DeskEvent.objects.count() == 0

    def test_the_buttons_stand_where_one_asks_for_the_booking(self, client: Client) -> None:
        client.force_login(make.staff(Role.RECEPTION))

        found = text(client, reverse("reception:reception", args=[make.site().code]))

        assert self.url("sent_home") in found
        assert self.url("complaint") in found

    def test_a_wrong_press_is_taken_back(self, client: Client) -> None:
        user = make.staff(Role.RECEPTION)
        event = actions.note_event(
            site=make.site(),
            service=make.service(),
            kind=Event.COMPLAINT,
            by=user,
            at=timezone.now(),
        )
        client.force_login(user)
        address = reverse("introduction:take_back_event", args=[make.site().code, event.pk])

        assert "取り消します" in text(client, address)
        client.post(address)

        assert DeskEvent.objects.count() == 0
        assert AuditEvent.objects.filter(verb="desk_event.take_back").exists()

    def test_an_old_press_stays(self) -> None:
        event = noted(make.service(), Event.COMPLAINT)

        with pytest.raises(rules.StepNotAllowed, match="10分"):
            actions.take_back_event(
                event=event, by=make.staff(), at=event.at + timedelta(minutes=11)
            )


class TestWeeks:
    def service(self) -> Service:
        service = make.service()
        now = timezone.now()
        make.visit(service, on=TODAY, arrived_at=now, reason_without_booking="phoned")
        make.visit(service, on=TODAY, arrived_at=now, booked_for=now)
        make.visit(
            service,
            on=TODAY - timedelta(days=70),
            arrived_at=now,
            reason_without_booking="did_not_know",
        )
        noted(service, Event.SENT_HOME, Remark.NO_SMARTPHONE)
        noted(service, Event.COMPLAINT)
        return service

    def test_each_week_counts_who_came_how_and_why(self) -> None:
        found = queries.follow_up(self.service(), today=TODAY)

        assert len(found.weeks) == queries.WEEKS
        week = found.weeks[-1]
        assert (week.booked, week.walk_in, week.share_booked) == (1, 1, 50)
        assert (week.sent_home, week.complaints, week.no_smartphone) == (1, 1, 1)
        assert found.total.reasons == {Remark.PHONED: 1, Remark.NO_SMARTPHONE: 1}

    def test_weeks_begin_with_the_change(self) -> None:
        service = self.service()
        StageChange.objects.create(
            service=service,
            stage="required",
            on=TODAY - timedelta(days=8),
            status="done",
            proposed_at=timezone.now(),
            proposed_by=make.staff(),
            approved_at=timezone.now(),
            approved_by=make.staff(),
            done_at=timezone.now(),
        )

        found = queries.follow_up(service, today=TODAY)

        assert found.since == TODAY - timedelta(days=8)
        assert 2 <= len(found.weeks) <= 3

    def test_the_page_says_it_in_a_sentence(self, client: Client, head: User) -> None:
        found = text(client, page("follow_up", self.service()))

        assert "「スマートフォンがない」と話した方は 1人" in found

    def test_the_excel_has_a_line_for_each_week_and_the_sum(
        self, client: Client, head: User
    ) -> None:
        answer = client.get(page("follow_up_excel", self.service()))

        rows = list(load_workbook(io.BytesIO(answer.content)).worksheets[0].values)
        assert len(rows) == 1 + queries.WEEKS + 1
        assert rows[-1][2:7] == (2, 1, 1, 1, 1)

    def test_the_report_is_one_tagged_page(self, client: Client, head: User) -> None:
        service = self.service()
        planned_by = make.staff(Role.SUPERVISOR)
        Service.objects.update(stage="announced")
        change = planned(service, planned_by)
        actions.approve(change=change, by=head, at=timezone.now())

        answer = client.get(page("report", service))

        reader = PdfReader(io.BytesIO(answer.content))
        words = reader.pages[0].extract_text()
        assert len(reader.pages) == 1
        assert "予約制について" in words
        assert head.name in words
        assert "pdfuaid:part" in str(reader.xmp_metadata and reader.xmp_metadata.stream.get_data())

    def test_a_service_nobody_came_for_has_a_report_too(self, client: Client, head: User) -> None:
        answer = client.get(page("report", make.service()))

        assert len(PdfReader(io.BytesIO(answer.content)).pages) == 1
