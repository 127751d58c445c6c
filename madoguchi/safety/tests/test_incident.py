"""An incident from its first minute to what comes after it."""

from datetime import datetime, timedelta
from io import BytesIO
from typing import Any
from uuid import uuid4

import openpyxl
import pytest
from django.db import IntegrityError, transaction
from django.test import Client

from madoguchi.audit.models import AuditEvent
from madoguchi.casework.models import Case
from madoguchi.casework.rules import Kind
from madoguchi.foundation.models import LiveEvent
from madoguchi.safety import actions, queries
from madoguchi.safety.models import Incident, Measure
from madoguchi.safety.rules import measures
from madoguchi.safety.rules.judgement import Demand, Effect, Facts, Manner, Need, NotReady, Result
from madoguchi.safety.rules.response import Limits, Stage, StepNotAllowed, Way
from madoguchi.staff.models import User
from madoguchi.staff.rules import Role
from tests import make

pytestmark = pytest.mark.django_db
FAIR = Facts(Demand.FAIR, Manner.FITTING, Effect.SLIGHT)
GRAVE = Facts(Demand.UNFAIR, Manner.GRAVE, Effect.HARMED)


@pytest.fixture
def officer() -> User:
    return make.staff(Role.OFFICER, division=make.division(), name="岡 大輔")


@pytest.fixture
def chief() -> User:
    return make.staff(Role.SUPERVISOR, division=make.division(), name="谷 洋一")


@pytest.fixture
def manager(chief: User) -> User:
    """The chief, to whom the building is delegated."""
    actions.delegate(user=chief, by=chief, at=make.NOW)
    return chief


def begin(by: User, **more: Any) -> Incident:
    given: dict[str, Any] = {"channel": "counter", "started_at": make.NOW, "demand": "免除しろ。"}
    return actions.open_incident(**given | {"by": by, "at": make.NOW} | more)


def later(minutes: float) -> datetime:
    return make.NOW + timedelta(minutes=minutes)


def go(incident: Incident, *stages: Stage, by: User, ordered_by: User | None = None) -> None:
    for minute, stage in enumerate(stages, start=1):
        actions.take_step(
            incident=incident, stage=stage, ordered_by=ordered_by, by=by, at=later(minute)
        )


WAY_OUT = (Stage.STOP_ACT, Stage.STOP_ACT, Stage.END, Stage.LEAVE, Stage.LEAVE, Stage.FINAL)


def test_from_the_first_shout_to_the_police(officer: User, manager: User) -> None:
    incident = begin(officer)
    go(incident, *WAY_OUT, Stage.POLICE, Stage.AFTER, by=officer, ordered_by=manager)
    incident.refresh_from_db()
    assert incident.is_over
    assert incident.ended_at == later(8)
    assert queries.taken(incident) == [*WAY_OUT, Stage.POLICE, Stage.AFTER]
    ordered = [step.ordered_by for step in queries.steps_of(incident)]
    assert [who is not None for who in ordered] == [
        stage in (Stage.LEAVE, Stage.FINAL) for stage in queries.taken(incident)
    ]
    assert AuditEvent.objects.filter(verb="incident.take_step").count() == 8
    assert LiveEvent.objects.filter(topic=f"incident.{incident.pk}").count() == 9


def test_nobody_is_ordered_out_by_whoever_likes(officer: User, chief: User) -> None:
    incident = begin(officer)
    go(incident, Stage.END, by=officer)
    for ordered_by in (None, chief):  # the chief has no delegation here
        with pytest.raises(StepNotAllowed, match="庁舎管理者"):
            go(incident, Stage.LEAVE, by=officer, ordered_by=ordered_by)
    delegation = actions.delegate(user=chief, by=chief, at=make.NOW)
    go(incident, Stage.LEAVE, by=officer, ordered_by=chief)
    actions.end_delegation(delegation=delegation, by=chief, at=make.NOW)
    with pytest.raises(StepNotAllowed, match="庁舎管理者"):
        go(incident, Stage.LEAVE, by=officer, ordered_by=chief)


def test_the_same_press_twice_is_one_step(officer: User) -> None:
    incident, key = begin(officer), uuid4()
    for _ in range(2):
        actions.take_step(
            incident=incident, stage=Stage.STOP_ACT, key=key, by=officer, at=make.NOW
        )
    assert queries.taken(incident) == [Stage.STOP_ACT]


def test_the_same_form_twice_is_one_incident(officer: User) -> None:
    key = uuid4()
    assert begin(officer, key=key) == begin(officer, key=key)


def test_a_step_is_taken_back_and_stays_in_the_record(officer: User) -> None:
    incident = begin(officer)
    go(incident, Stage.STOP_ACT, Stage.AFTER, by=officer)
    actions.undo_step(incident=incident, by=officer, at=later(2.5))
    incident.refresh_from_db()
    assert (incident.stage, incident.ended_at) == (Stage.STOP_ACT.value, None)
    assert [step.is_undone for step in queries.steps_of(incident)] == [False, True]
    with pytest.raises(StepNotAllowed, match="1分"):  # the one before is older than a minute
        actions.undo_step(incident=incident, by=officer, at=later(2.6))


def test_what_was_said_is_added_also_after_the_end(officer: User) -> None:
    incident = begin(officer)
    go(incident, Stage.AFTER, by=officer)
    actions.write_note(incident=incident, text="「また来る」", by=officer, at=later(9))
    assert [step.text for step in queries.steps_of(incident)] == ["", "「また来る」"]
    with pytest.raises(StepNotAllowed, match="終わって"):
        go(incident, Stage.STOP_ACT, by=officer)


def test_judgements_belong_to_their_moments(officer: User, chief: User) -> None:
    incident = begin(officer)
    head = make.staff(Role.CENTRE_HEAD)
    with pytest.raises(NotReady, match="一人では"):
        judge(incident, GRAVE, Result.YES, by=chief, consulted=[chief])
    judge(incident, FAIR, Result.NONE, by=chief)
    judge(incident, GRAVE, Result.YES, by=chief, consulted=[head], at=later(30))
    assert [row.result for row in queries.judgements_of(incident)] == ["yes", "none"]
    with pytest.raises(StepNotAllowed, match="該当しない"):  # the newest one counts
        actions.return_to_complaint(
            incident=incident, category=make.category(), title="x", by=chief, at=later(31)
        )


def judge(incident: Incident, facts: Facts, result: Result, *, by: User, **more: Any) -> None:
    given: dict[str, Any] = {"reason": "見聞きした事実から。", "consulted": [], "at": later(10)}
    actions.judge(incident=incident, facts=facts, result=result, by=by, **given | more)


def test_the_built_in_standard_stays_beside_an_old_judgement(officer: User, chief: User) -> None:
    incident = begin(officer)
    judge(incident, FAIR, Result.NONE, by=chief)
    lines = [line for line in queries.lines_of(None) if line.code != "fitting"]
    actions.revise_standard(definition="著しい迷惑行為", lines=lines, by=chief, at=later(11))
    judge(incident, FAIR, Result.NONE, by=chief, at=later(12))
    newest, oldest = queries.judgements_of(incident)
    assert (oldest.standard, oldest.advised) == (None, "none")
    assert newest.standard is not None
    assert newest.advised == "pending"  # the line that spoke is gone


def test_no_harassment_goes_on_as_an_ordinary_complaint(officer: User, chief: User) -> None:
    incident = begin(officer, trigger="回答が遅れた。")
    judge(incident, FAIR, Result.NONE, by=chief)
    case = actions.return_to_complaint(
        incident=incident, category=make.category(), title="回答の遅れ", by=officer, at=later(20)
    )
    incident.refresh_from_db()
    assert incident.case == case
    assert (case.kind, case.owner, case.summary) == (
        Kind.COMPLAINT.value,
        officer.division,
        "免除しろ。\n回答が遅れた。",
    )
    with pytest.raises(StepNotAllowed, match="すでに"):
        actions.return_to_complaint(
            incident=incident, category=make.category(), title="x", by=officer, at=later(21)
        )
    assert Case.objects.count() == 1


def propose(incident: Incident, by: User, days: int = 30) -> Measure:
    return actions.propose_measure(
        incident=incident,
        kind=measures.Measure.WRITING_ONLY,
        ground="電話が一日20回続いたため。",
        remains_open="手続きは文書で受けます。",
        review_on=later(0).date() + timedelta(days=days),
        by=by,
        at=make.NOW,
    )


def test_a_measure_needs_another_person_and_a_day(officer: User, chief: User) -> None:
    incident = begin(officer)
    for days in (0, 200):
        with pytest.raises(measures.NotAllowed, match="見直す日"):
            propose(incident, chief, days)
    measure = propose(incident, chief)
    assert not Measure.objects.in_force().exists()
    with pytest.raises(measures.NotAllowed, match="本人"):
        actions.approve_measure(measure=measure, by=chief, at=make.NOW)
    with pytest.raises(IntegrityError), transaction.atomic():  # the database holds it too
        Measure.objects.filter(pk=measure.pk).update(approved_at=make.NOW, approved_by=chief)
    actions.approve_measure(measure=measure, by=make.staff(Role.CENTRE_HEAD), at=make.NOW)
    assert not Measure.objects.to_review(on=later(0).date()).exists()
    assert Measure.objects.to_review(on=later(0).date() + timedelta(days=30)).get() == measure
    actions.end_measure(measure=measure, reason="落ち着いた。", by=chief, at=make.NOW)
    with pytest.raises(measures.NotAllowed, match="終わって"):
        actions.review_measure(
            measure=measure, review_on=later(0).date() + timedelta(days=9), by=chief, at=make.NOW
        )


def test_the_city_sets_its_own_minutes_and_words(chief: User) -> None:
    assert queries.limits_of(Way.PHONE).end == 30
    fields = {"notice": 10, "second": 15, "end": 20, "stop_requests": 2, "leave_requests": 1}
    actions.set_limits(way=Way.PHONE, fields=fields, by=chief, at=make.NOW)
    assert queries.limits_of(Way.PHONE) == Limits(10, 15, 20, 2, 1)
    actions.set_words(
        stage=Stage.END, text="ここまでです。\n\n 失礼します。", by=chief, at=make.NOW
    )
    assert queries.words_of(Stage.END) == ["ここまでです。", "失礼します。"]


def test_the_same_matter_on_one_day_is_added_up(officer: User) -> None:
    case = make.case(owner=officer.division)
    first = begin(officer, case=case)
    actions.take_step(incident=first, stage=Stage.AFTER, by=officer, at=later(20))
    second = begin(officer, case=case, started_at=later(60), at=later(60))
    assert queries.same_day_minutes(second, at=later(70)) == 20
    assert queries.same_day_minutes(begin(officer), at=later(70)) == 0


# --- pages ----------------------------------------------------------------------------------


@pytest.fixture
def desk(client: Client, officer: User) -> Client:
    client.force_login(officer)
    return client


def test_the_page_says_what_to_say_next(desk: Client, officer: User, manager: User) -> None:
    address = desk.post(
        "/staff/incidents/new/", {"channel": "counter", "minutes_ago": 61, "people": 1}
    ).headers["Location"]
    page = desk.get(address).text
    assert "終わりを告げる時間です" in page
    assert "次に言う言葉：対応の終了を告げる" in page
    words = queries.words_of(Stage.END)[0]
    desk.post(f"{address}steps/", {"stage": "end", "text": words})
    page = desk.get(address).text
    assert f"「{words}」" in page
    assert "退去を求める（1回目）" in page
    assert manager.name in page  # who may order it
    assert "取り消す（1分以内）" in page
    assert "次の1分以内" not in desk.get(f"{address}sheet/").text


def test_a_press_that_is_not_allowed_says_why(desk: Client, officer: User) -> None:
    incident = begin(officer)
    answer = desk.post(f"/staff/incidents/{incident.pk}/steps/", {"stage": "police"}, follow=True)
    assert "の次に「110番・警察」は選べません" in answer.text
    assert queries.taken(incident) == []


def test_the_report_says_who_what_when(desk: Client, officer: User) -> None:
    incident = begin(officer, counterpart="紺の上着", trigger="通知")
    actions.write_note(incident=incident, text="「帰らない」", by=officer, at=later(1))
    go(incident, Stage.STOP_ACT, by=officer)
    actions.undo_step(incident=incident, by=officer, at=later(1.2))
    page = desk.get(f"/staff/incidents/{incident.pk}/sheet/").text
    for words in (
        "いつ",
        "どこで",
        "だれが",
        "何を",
        "なぜ",
        "どのように",
        "「帰らない」",
        "紺の上着",
    ):
        assert words in page
    assert "やめるよう求める" not in page  # taken back


def test_the_aid_lays_the_standard_beside_the_facts(client: Client, chief: User) -> None:
    incident = begin(chief)
    client.force_login(chief)
    facts = {"demand": "unfair", "manner": "grave", "effect": "harmed", "fault": "unknown"}
    page = client.post(
        f"/staff/incidents/{incident.pk}/judgement/",
        facts | {"need": "not_asked", "do": "advise", "acts": ["ABUSE"]},
    ).text
    assert "基準の示す結果: 該当する" in page
    assert "事情がないかを確かめて" in page
    assert "厚生労働省" in page
    assert not incident.judgements.exists()  # the aid decides nothing


def test_the_list_tells_no_words_to_a_spreadsheet(desk: Client, officer: User) -> None:
    begin(officer, demand="免除しろ", counterpart="紺の上着")
    sheet = openpyxl.load_workbook(BytesIO(desk.get("/staff/incidents/list.xlsx").content)).active
    assert sheet is not None
    written = " ".join(str(cell.value) for row in sheet.iter_rows() for cell in row)
    assert "一次対応" in written
    assert "免除しろ" not in written
    assert "紺の上着" not in written


def test_an_incident_is_the_divisions_own(client: Client, officer: User) -> None:
    incident = begin(officer)
    others = [
        make.staff(Role.SUPERVISOR, division=make.division("衛生課")),
        make.staff(Role.SAFETY_DESK, division=make.division("サポート室", is_outside=True)),
    ]
    for other, status in zip(others, (404, 403), strict=True):
        client.force_login(other)
        assert client.get(f"/staff/incidents/{incident.pk}/").status_code == status


def test_a_case_that_may_not_be_known_is_not_named(client: Client, officer: User) -> None:
    case = make.case(owner=make.division("生活福祉課"), title="ひみつの相談")
    incident = begin(officer, case=case)
    client.force_login(officer)
    page = client.get(f"/staff/incidents/{incident.pk}/").text
    assert case.number not in page
    assert "ひみつの相談" not in page
    assert client.get(f"/staff/incidents/new/?case={case.number}").status_code == 404


@pytest.mark.parametrize("need", list(Need))
def test_every_need_can_be_written(officer: User, chief: User, need: Need) -> None:
    incident = begin(officer)
    facts = Facts(Demand.FAIR, Manner.FITTING, Effect.NONE, need=need)
    judge(incident, facts, Result.NONE, by=chief)
    assert incident.judgements.get().need == need.value
