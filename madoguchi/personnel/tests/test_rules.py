import pytest

from madoguchi.personnel import rules
from madoguchi.personnel.rules import Held, Line, Person, Wanted

PEOPLE = {
    "mori": Person(1, "mori", "森 一郎", "officer", 10, True),
    "hara": Person(2, "hara", "原 二郎", "supervisor", 10, True),
    "left": Person(3, "left", "去 三郎", "officer", 10, False),
    "kanri": Person(4, "kanri", "管理 四郎", "admin", 20, True),
}
BY_PK = {person.pk: person for person in PEOPLE.values()}
DIVISIONS = {"保育課": 10, "総務課": 20}
ROLES = {"所管課職員": "officer", "係長・課長": "supervisor"}


def read(*lines: Line) -> tuple[list[Wanted], list[str]]:
    wanted, problems = rules.read(lines, people=PEOPLE, divisions=DIVISIONS, roles=ROLES)
    return wanted, [problem.text for problem in problems]


class TestRead:
    def test_a_line_says_where_somebody_goes(self) -> None:
        wanted, problems = read(Line(2, "mori", "森　一郎", to="総 務 課", successor="hara"))

        assert wanted == [Wanted(1, 20, "officer", 2)]
        assert problems == []

    def test_a_line_that_changes_nothing_is_left_out(self) -> None:
        assert read(Line(2, "mori"), Line(3, "hara", to="保育課")) == ([], [])

    def test_whoever_leaves_has_no_new_place(self) -> None:
        assert read(Line(2, "mori", leaves="○"))[0] == [Wanted(1, None, "", None)]

    @pytest.mark.parametrize(
        ("line", "said"),
        [
            (Line(2, "nobody", to="総務課"), "在職中の職員がいません"),
            (Line(2, "left", to="総務課"), "在職中の職員がいません"),
            (Line(2, "mori", "原 二郎", to="総務課"), "氏名が違います"),
            (Line(2, "mori", to="宇宙課"), "部署「宇宙課」がありません"),
            (Line(2, "mori", role="王様"), "役割「王様」がありません"),
            (Line(2, "mori", to="総務課", successor="left"), "後任の職員ID"),
            (Line(2, "mori", to="総務課", successor="mori"), "本人を後任に"),
            (Line(2, "mori", to="総務課", leaves="○"), "異動先と新しい役割を入れないで"),
            (Line(2, "mori", leaves="たぶん"), "「○」を入れて"),
        ],
    )
    def test_what_is_wrong_is_said_with_its_row(self, line: Line, said: str) -> None:
        wanted, problems = read(line)

        assert wanted == []
        assert said in problems[0]

    def test_nobody_moves_twice(self) -> None:
        _, problems = read(Line(2, "mori", to="総務課"), Line(3, "mori", leaves="○"))

        assert "2行目と同じ職員" in problems[0]


class TestSuccessor:
    def heir(self, move: Wanted, moving: frozenset[int] = frozenset()) -> int | None:
        return rules.successor_of(move, people=BY_PK, moving=moving, supervisors={10: [2]})

    def test_the_named_one_takes_over(self) -> None:
        assert self.heir(Wanted(1, 20, "officer", 4)) == 4

    def test_else_the_supervisor_of_the_old_division(self) -> None:
        assert self.heir(Wanted(1, 20, "officer", None)) == 2

    def test_a_supervisor_who_moves_too_takes_nothing(self) -> None:
        assert self.heir(Wanted(1, 20, "officer", None), frozenset({1, 2})) is None


class TestWeaknesses:
    def said(self, *moves: Wanted, heirs: dict[int, int | None], held: Held) -> list[str]:
        found = rules.weaknesses(
            moves,
            people=BY_PK,
            held={1: held},
            heirs=heirs,
            admin_role="admin",
            division_names={10: "保育課", 20: "総務課"},
            open_cases={10: 3},
        )
        return [problem.text for problem in found]

    def test_a_matter_without_anybody(self) -> None:
        said = self.said(Wanted(1, 20, "officer", None), heirs={1: None}, held=Held(2, 1, 0))

        assert said == [
            "森 一郎さんの後任がいません（案件 2件、うち限定 1件）。後任の職員IDを入れてください。"
        ]

    def test_nothing_in_hand_needs_nobody(self) -> None:
        assert self.said(Wanted(1, 20, "officer", None), heirs={1: None}, held=Held()) == []

    def test_a_successor_who_will_be_elsewhere(self) -> None:
        said = self.said(Wanted(1, 20, "officer", 4), heirs={1: 4}, held=Held(1, 0, 0))

        assert "異動日に保育課にいません" in said[0]

    def test_a_division_without_people_and_with_open_cases(self) -> None:
        said = self.said(
            Wanted(1, 20, "officer", 2), Wanted(2, None, "", 1), heirs={1: 2, 2: 1}, held=Held()
        )

        assert "保育課に職員がいなくなります（開いている案件 3件）。" in said

    def test_a_city_without_administrator(self) -> None:
        said = self.said(Wanted(4, None, "", None), heirs={4: None}, held=Held())

        assert said == ["システム管理者が、だれもいなくなります。"]
