from datetime import date

import pytest
from django.core.exceptions import ValidationError

from madoguchi.ui.fields import JapaneseDateField, KanaField, PhoneField


@pytest.mark.parametrize(
    "typed",
    ["R8.4.1", "令和8年4月1日", "2026-04-01", "２０２６．４．１", "８．４．１", " r8/4/1 "],
)
def test_a_date_is_read_as_people_write_it(typed: str) -> None:
    assert JapaneseDateField().clean(typed) == date(2026, 4, 1)


@pytest.mark.parametrize("typed", ["あした", "R8.2.30", "2026", "平成40年1月1日"])
def test_what_is_no_date_says_how_to_write_one(typed: str) -> None:
    with pytest.raises(ValidationError, match="のように入力"):
        JapaneseDateField().clean(typed)


def test_no_date_is_none_unless_required() -> None:
    assert JapaneseDateField(required=False).clean("") is None
    with pytest.raises(ValidationError, match="日付を入力"):
        JapaneseDateField().clean("")


def test_a_stored_date_is_shown_so_that_it_can_be_read_again() -> None:
    shown = JapaneseDateField().prepare_value(date(2026, 4, 1))

    assert shown == "令和8年4月1日"
    assert JapaneseDateField().clean(shown) == date(2026, 4, 1)


def test_a_date_typed_in_another_way_has_not_changed() -> None:
    field = JapaneseDateField()

    assert not field.has_changed(date(2026, 4, 1), "R8.4.1")
    assert field.has_changed(date(2026, 4, 1), "R8.4.2")
    assert field.has_changed(date(2026, 4, 1), "あした")


@pytest.mark.parametrize("typed", ["やまだ たろう", "ヤマダ　タロウ", "ﾔﾏﾀﾞ ﾀﾛｳ", " やまだ  太郎"])
def test_a_reading_becomes_full_width_katakana(typed: str) -> None:
    if "太郎" in typed:
        with pytest.raises(ValidationError, match="ひらがなかカタカナ"):
            KanaField().clean(typed)
    else:
        assert KanaField().clean(typed) == "ヤマダ　タロウ"


@pytest.mark.parametrize(
    "typed", ["090-1234-5678", "０９０ー１２３４－５６７８", "090 1234 5678", "+81 90-1234-5678"]
)
def test_a_telephone_number_becomes_digits(typed: str) -> None:
    assert PhoneField().clean(typed) == "09012345678"


@pytest.mark.parametrize("typed", ["1234", "090-1234-567", "なし", "090-1234-5678-9"])
def test_what_is_no_telephone_number_says_what_to_type(typed: str) -> None:
    with pytest.raises(ValidationError, match="市外局番"):
        PhoneField().clean(typed)
