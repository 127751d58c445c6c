from datetime import UTC, date, datetime, time, timedelta
from itertools import permutations, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from madoguchi.booking import rules
from madoguchi.booking.rules import Opening

NINE = datetime(2026, 11, 24, 9, 0, tzinfo=rules.JST)
TUESDAY = date(2026, 11, 24)
masks = st.integers(min_value=0, max_value=rules.WHOLE_DAY)


def minutes(number: float) -> timedelta:
    return timedelta(minutes=number)


class TestMasks:
    @given(free=masks, cells=st.integers(min_value=1, max_value=32))
    def test_every_start_and_no_other_is_found(self, free: int, cells: int) -> None:
        found = set(rules.bits(rules.starts(free, cells)))

        slow = {
            cell
            for cell in range(rules.CELLS)
            if all(free >> other & 1 for other in range(cell, cell + cells))
        }
        assert found == slow

    @given(st.lists(masks, max_size=40))
    def test_the_vertical_counter_counts_like_a_person(self, counters: list[int]) -> None:
        planes: list[int] = []
        for mask in counters:
            rules.add_up(planes, mask)

        slow = {
            cell: n
            for cell in range(rules.CELLS)
            if (n := sum(mask >> cell & 1 for mask in counters))
        }
        assert rules.counts(planes) == slow

    @given(cell=st.integers(min_value=0, max_value=rules.CELLS - 1))
    def test_a_cell_is_found_again_from_its_moment(self, cell: int) -> None:
        assert rules.cell_of(rules.start_of(TUESDAY, cell).astimezone(UTC)) == cell

    @pytest.mark.parametrize(
        "moment",
        [
            NINE.replace(minute=7),
            NINE.replace(second=1),
            NINE.replace(microsecond=1),
            NINE.replace(hour=6, minute=45),
            NINE.replace(hour=22, minute=30),
        ],
    )
    def test_no_cell_begins_between_the_lines_or_outside_the_grid(self, moment: datetime) -> None:
        with pytest.raises(rules.NotBookable):
            rules.cell_of(moment)

    @pytest.mark.parametrize(
        ("opens", "closes", "cells"),
        [
            (time(8, 30), time(17, 15), 35),
            (time(8, 40), time(9, 20), 2),  # only whole cells: 8:45–9:15
            (time(0, 0), time(23, 59), rules.CELLS),
            (time(9, 0), time(9, 10), 0),
            (time(5, 0), time(6, 0), 0),
        ],
    )
    def test_a_period_takes_its_whole_cells(self, opens: time, closes: time, cells: int) -> None:
        assert rules.period_mask(opens, closes).bit_count() == cells

    @pytest.mark.parametrize(("length", "cells"), [(5, 1), (15, 1), (16, 2), (30, 2), (60, 4)])
    def test_minutes_are_rounded_up_to_cells(self, length: int, cells: int) -> None:
        assert rules.cells_for(length) == cells


class TestOpening:
    def opening(self, **more: object) -> Opening:
        fields: dict[str, object] = {
            "weekdays": 0b0011111,
            "opens": time(9),
            "closes": time(12),
            "valid_from": date(2026, 4, 1),
            "valid_until": None,
            "is_closure": False,
        }
        return Opening(**fields | more)  # type: ignore[arg-type]

    def test_a_closure_takes_its_hours_out_whatever_the_order(self) -> None:
        rows = [
            self.opening(),
            self.opening(opens=time(10), closes=time(11), is_closure=True),
        ]

        first = rules.opening_mask(rows, TUESDAY)
        second = rules.opening_mask(reversed(rows), TUESDAY)

        assert first == second
        assert first.bit_count() == 8

    def test_the_site_s_hours_cut_the_rules(self) -> None:
        mask = rules.opening_mask([self.opening()], TUESDAY, hours=(time(11), time(17)))

        assert mask == rules.period_mask(time(11), time(12))

    @pytest.mark.parametrize(
        ("day", "is_open"),
        [
            (date(2026, 11, 23), False),  # before it begins
            (date(2026, 11, 24), True),
            (date(2026, 11, 28), False),  # Saturday
            (date(2026, 11, 30), True),
            (date(2026, 12, 1), False),  # after its end
        ],
    )
    def test_a_rule_holds_on_its_weekdays_within_its_time(self, day: date, is_open: bool) -> None:
        row = self.opening(valid_from=date(2026, 11, 24), valid_until=date(2026, 11, 30))

        assert bool(rules.opening_mask([row], day)) is is_open

    def test_hours_that_name_a_service_are_kept_for_it(self) -> None:
        rows = [self.opening(service=7), self.opening(opens=time(13), closes=time(14))]

        assert rules.opening_mask(rows, TUESDAY).bit_count() == 16
        assert rules.opening_mask(rows, TUESDAY, service=7).bit_count() == 16
        assert rules.opening_mask(rows, TUESDAY, service=8).bit_count() == 4

    def test_a_closure_for_one_service_leaves_the_others(self) -> None:
        rows = [self.opening(), self.opening(service=7, is_closure=True)]

        assert rules.opening_mask(rows, TUESDAY, service=7) == 0
        assert rules.opening_mask(rows, TUESDAY, service=8).bit_count() == 12
        assert rules.opening_mask(rows, TUESDAY).bit_count() == 12


class TestWindow:
    def test_the_last_day_is_released_when_the_office_is_awake(self) -> None:
        early = NINE.replace(hour=0, minute=1)

        assert rules.booking_window(
            now=early, lead_minutes=0, opens_days_before=31
        ).last_day == date(2026, 12, 24)
        assert rules.booking_window(
            now=NINE, lead_minutes=0, opens_days_before=31
        ).last_day == date(2026, 12, 25)

    def test_today_s_cells_begin_after_the_lead_time(self) -> None:
        assert min(rules.bits(rules.mask_from(NINE + minutes(1), TUESDAY))) == 9
        assert min(rules.bits(rules.mask_from(NINE, TUESDAY))) == 8
        assert rules.mask_from(NINE, TUESDAY - timedelta(days=1)) == 0
        assert rules.mask_from(NINE, TUESDAY + timedelta(days=1)) == rules.WHOLE_DAY
        assert rules.mask_from(NINE.replace(hour=23), TUESDAY) == 0


def number_with(letters: dict[int, str]) -> str:
    """Return a right number that has these characters at these places, the last one apart."""
    plain = [letters.get(place, "A") for place in range(rules.CODE_LENGTH - 1)]
    return "".join(plain) + rules.check_letter("".join(plain))


class TestNumbers:
    @pytest.mark.parametrize("place", range(rules.CODE_LENGTH))
    def test_every_single_wrong_character_is_noticed(self, place: int) -> None:
        """All of them: the check is a sum, so one place shows the same whatever stands beside."""
        for right, wrong in permutations(rules.CODE_LETTERS, 2):
            number = number_with({place: right})
            spoilt = number[:place] + wrong + number[place + 1 :]

            if number[place] != wrong:
                with pytest.raises(ValueError, match="どこかが違う"):
                    rules.parse_number(spoilt)

    @pytest.mark.parametrize("place", range(rules.CODE_LENGTH - 1))
    def test_every_swap_of_neighbours_is_noticed(self, place: int) -> None:
        for first, second in product(rules.CODE_LETTERS, repeat=2):
            number = number_with({place: first, place + 1: second})
            one, other = number[place], number[place + 1]
            spoilt = number[:place] + other + one + number[place + 2 :]

            assert rules.parse_number(number) == number
            if one != other:
                with pytest.raises(ValueError, match="どこかが違う"):
                    rules.parse_number(spoilt)

    def test_no_two_characters_are_taken_for_one_another(self) -> None:
        for alike in ("0OQD", "1IL", "2Z", "5S", "8B", "6G", "UV", "MN"):
            assert len(set(alike) & set(rules.CODE_LETTERS)) <= 1

    @pytest.mark.parametrize("text", ["{0}-{1}", "{0} {1}", "{0}ー{1}", "　{0}−{1} "])
    def test_a_number_is_read_as_people_type_it(self, text: str) -> None:
        number = rules.new_number()
        typed = text.format(number[:4], number[4:]).lower()
        wide = {ord(letter): ord(letter) + 0xFEE0 for letter in rules.CODE_LETTERS.lower()}

        assert rules.parse_number(typed) == number
        assert rules.parse_number(typed.translate(wide)) == number

    @pytest.mark.parametrize("text", ["", "K7XM", "K7XM3PWAA", "あいうえおかきく", "K7XM-3PW0"])
    def test_what_is_no_number_is_refused(self, text: str) -> None:
        with pytest.raises(ValueError, match="予約番号"):
            rules.parse_number(text)

    def test_a_token_holds_more_than_128_bits(self) -> None:
        assert len(rules.new_token()) * 6 >= 128
        assert len({rules.new_token() for _ in range(1000)}) == 1000

    @pytest.mark.parametrize(
        "phone", ["090-1234-5678", "０９０ー１２３４ー５６７８", "+81 90 1234 5678"]
    )
    def test_telephone_numbers_agree_however_written(self, phone: str) -> None:
        assert rules.phone_key(phone) == "09012345678"
