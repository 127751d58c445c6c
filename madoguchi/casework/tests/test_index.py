"""The index finds what the definition finds: for every reader, list and search, at any moment."""

from datetime import date, timedelta
from random import Random
from typing import Any

import pytest
from django.db import connection, transaction

from madoguchi.casework import access, actions, index, queries, rules
from madoguchi.casework.models import Case, SearchBits, SearchText
from madoguchi.residents import actions as residents
from madoguchi.staff.models import User
from madoguchi.staff.rules import Role, Verb
from tests import make

pytestmark = pytest.mark.django_db
WORDS = (
    "道路",
    "保育所",
    "の",
    "がけ",
    "雨もり",
    "ｶﾞｽ",
    "水道",
    "髙橋さん",
    "Wi-Fi",
    "〜",
    "𠮷野家",
)


@pytest.fixture
def readers() -> list[User]:
    nursery, roads = make.division("保育課"), make.division("道路課")
    return [
        make.staff(Role.CENTRE_HEAD),
        make.staff(),
        make.staff(Role.OFFICER, division=nursery),
        make.staff(Role.OFFICER, division=roads),
        make.staff(Role.OFFICER, division=make.division("社協", is_outside=True)),
        make.staff(Role.RECEPTION),
    ]


@pytest.fixture
def office(readers: list[User]) -> list[Case]:
    """Forty cases of every sort, some of them changed since; nobody has merged them yet."""
    chance = Random(8)
    people = [
        make.resident("髙橋 花子", kana="タカハシ ハナコ", phone="0898-00-0001"),
        make.resident("吉野 保", kana="ヨシノ タモツ"),
        make.resident("秘密 道子", kana="ヒミツ ミチコ", is_restricted=True),
        None,
    ]
    categories = [make.category(), make.category("DV", code="DV")]
    cases = []
    for number in range(40):
        by = chance.choice(readers[:4])
        case = actions.receive(
            kind=chance.choice(list(rules.Kind)).value,
            channel=chance.choice(list(rules.Channel)).value,
            category=chance.choice(categories),
            title=_text(chance),
            summary=_text(chance) + "\n" + _text(chance),
            resident=chance.choice(people),
            owner=by.division,
            by=by,
            at=make.NOW - timedelta(days=chance.randrange(900), hours=number),
        )
        if chance.random() < 0.5:
            actions.write_contact(
                case=case, channel="phone", text=_text(chance), minutes=5, by=by, at=make.NOW
            )
        if chance.random() < 0.4:
            to = chance.choice(readers[2:4])
            handover = actions.ask_division(
                case=case,
                kind=rules.HandoverKind.COME,
                to=to.division,
                note=_text(chance),
                due_on=make.NOW.date(),
                room=None,
                officer=to,
                by=by,
                at=make.NOW,
            )
            if chance.random() < 0.4:
                actions.decline(handover=handover, reason="担当外", by=to, at=make.NOW)
        elif chance.random() < 0.5:
            actions.close(
                case=case,
                conclusion=_text(chance),
                result=chance.choice(list(rules.Result)).value,
                reason=_text(chance),
                understanding="agreed",
                by=by,
                at=make.NOW,
            )
        cases.append(case)
    return cases


def _text(chance: Random) -> str:
    return "".join(chance.choices(WORDS, k=chance.randrange(1, 6)))


def _questions(readers: list[User], office: list[Case]) -> list[dict[str, Any]]:
    chance = Random(4)
    texts = list(SearchText.objects.values_list("text", flat=True))
    asked: list[dict[str, Any]] = [
        {"status": "open"},
        {"status": ""},
        {"status": "closed", "result": "advised"},
        {"kind": "complaint", "status": "open"},
        {"channel": "phone"},
        {"category": office[0].category, "status": "open"},
        {"owner": readers[2].division},
        {"mine": readers[1]},
        {"since": date(2025, 11, 30), "until": date(2026, 2, 2)},
        {"since": date(2026, 1, 1)},
        {"until": date(2025, 12, 31), "q": "の"},
        {"q": office[7].number.lower()},
        {"q": "0898-00-0001"},
        {"q": "たかはし 道路"},
        {"q": "秘密"},
        {"q": "100%_'\"\\*"},
        {"q": "　"},
    ]
    for length in range(1, 13):
        text = chance.choice([text for text in texts if len(text) > 12])
        start = chance.randrange(len(text) - length)
        asked.append({"q": text[start : start + length]})
        asked.append({"q": _text(chance)[:length]})
    return asked


def _check(readers: list[User], asked: list[dict[str, Any]]) -> None:
    for reader in readers:
        for wanted in asked:
            defined = queries.cases_found(
                access.visible_cases(reader),
                wanted,
                finds_hidden_names=reader.may(Verb.REVEAL_ADDRESS),
            ).values_list("pk", flat=True)

            page = access.cases_page(reader, wanted, page=1, size=1_000)

            assert [case.pk for case in page] == list(defined), (reader.role, wanted)
            assert page.count == len(defined)


def test_what_waits_is_found_like_what_is_merged(readers: list[User], office: list[Case]) -> None:
    asked = _questions(readers, office)

    _check(readers, asked)
    index.merge(most=20)
    _check(readers, asked)
    index.merge()
    assert index.waiting() == []

    again = actions.reopen(
        case=Case.objects.filter(status="closed")[0], reason="追加", by=readers[1], at=make.NOW
    )
    plain = Case.objects.filter(is_sensitive=False)[0]
    actions.restrict(case=plain, is_sensitive=True, reason="DV", by=readers[1], at=make.NOW)
    actions.identify(case=again, resident=None, by=readers[1], at=make.NOW)
    assert sorted(index.waiting()) == sorted({again.pk, plain.pk})
    _check(readers, asked)
    index.merge()
    _check(readers, asked)


def test_a_rebuilt_index_is_the_kept_one(office: list[Case]) -> None:
    while index.merge():
        pass
    kept = _kept()

    index.rebuild()

    assert _kept() == kept


def _kept() -> dict[tuple[str, int], int]:
    rows = SearchBits.objects.values_list("sign", "block", "bits")
    found = {(sign, block): index._as_number(bytes(bits)) for sign, block, bits in rows}
    return {place: number for place, number in found.items() if number}


def test_every_action_keeps_the_index(office: list[Case]) -> None:
    assert index.differences() == []


def test_a_new_name_and_a_new_restriction_are_known_at_once(readers: list[User]) -> None:
    head, officer = readers[0], readers[2]
    person = make.resident("山田 太郎", kana="ヤマダ タロウ")
    case = make.case(resident=person, owner=officer.division, title="水道")
    index.merge()

    residents.update(resident=person, name="海野 太郎", by=head, at=make.NOW)
    assert _found(officer, "海野") == [case.pk]
    assert _found(officer, "山田") == []
    residents.restrict(resident=person, reason="支援措置", by=head, at=make.NOW)

    assert _found(officer, "海野") == []
    assert _found(officer, "うんの") == _found(officer, "ﾔﾏﾀﾞ") == []
    assert _found(head, "海野") == [case.pk]
    assert _found(officer, "水道") == [case.pk]


def _found(reader: User, text: str) -> list[int]:
    return [case.pk for case in access.cases_page(reader, {"q": text}, page=1, size=50)]


@pytest.mark.parametrize(
    ("stored", "typed"),
    [
        ("髙橋", "高橋"),
        ("渡邉", "渡辺"),
        ("葛\U000e0100城", "葛城"),
        ("ﾀｶﾊｼ", "たかはし"),
        ("Ｗｉ－Ｆｉ", "wi-fi"),
        ("令和８年", "令和8年"),
        ("がけ\n崩れ", "がけ崩れ"),
        ("一ヶ月", "一ケ月"),
    ],
)
def test_spellings_agree(stored: str, typed: str) -> None:
    case = make.case(title=stored)

    assert _found(make.staff(), typed) == [case.pk]


def test_a_failed_action_leaves_nothing_in_the_index() -> None:
    with pytest.raises(RuntimeError), transaction.atomic():
        make.case("消えるはず")
        raise RuntimeError

    assert not SearchText.objects.exists()


def test_an_index_that_is_behind_shows_nobody_a_case_he_may_not_know_of() -> None:
    officer = make.staff(Role.OFFICER, division=make.division())
    case = make.case(owner=officer.division)
    index.merge()
    Case.objects.filter(pk=case.pk).update(is_sensitive=True)

    assert list(access.cases_page(officer, {}, page=1, size=50)) == []


def test_after_an_upgrade_the_missing_index_is_made() -> None:
    make.case("道路の穴")
    SearchText.objects.all().delete()

    index.fill()

    assert len(_found(make.staff(), "道路")) == 1


def test_pages_reach_the_last_case() -> None:
    by = make.staff()
    cases = [make.case(by=by) for _ in range(7)]
    index.merge()

    seen = [
        case.pk
        for number in (1, 2, 3)
        for case in access.cases_page(by, {}, page=str(number), size=3)
    ]

    assert seen == [case.pk for case in reversed(cases)]
    last = access.cases_page(by, {}, page="99", size=3)
    assert (last.number, last.start, last.end, last.has_next) == (3, 7, 7, False)
    assert access.cases_page(by, {}, page="x", size=3).number == 1


def test_a_long_word_is_counted_as_far_as_it_is_looked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(index, "COUNTED", 2)
    by = make.staff()
    for _ in range(300):
        make.case("道路のへこみ", by=by)
    while index.merge():
        pass

    first = access.cases_page(by, {"q": "道路のへこみ"}, page=1, size=50)
    last = access.cases_page(by, {"q": "道路のへこみ"}, page=6, size=50)

    assert (first.is_counted, first.has_next) == (False, True)
    assert (last.is_counted, last.count, last.has_next) == (True, 300, False)


@pytest.mark.skipif(connection.vendor != "sqlite", reason="only SQLite tables are made anew")
@pytest.mark.django_db(transaction=True)
def test_the_index_outlives_a_rebuild_of_its_tables() -> None:
    case = make.case("道路の穴")
    index.merge()
    with connection.schema_editor() as editor:
        editor._remake_table(SearchText)  # type: ignore[attr-defined]
        editor._remake_table(Case)  # type: ignore[attr-defined]

    assert _found(make.staff(), "道路の") == [case.pk]
