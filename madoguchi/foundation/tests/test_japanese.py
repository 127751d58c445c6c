import pytest

from madoguchi.foundation import japanese


@pytest.mark.parametrize(
    ("written", "searched"),
    [
        ("髙橋 トミ", "高橋トミ"),
        ("松𠮷　健一", "松吉 健一"),
        ("宮﨑", "宮崎"),
        ("渡邉", "渡辺"),
        ("渡邊", "渡辺"),
        ("齋藤", "斉藤"),
        ("葛󠄀城", "葛城"),
        ("市ヶ谷", "市ケ谷"),
        ("ＮＧＵＹＥＮ Thi Lan", "nguyen thi lan"),
        ("グエン・ティ・ラン", "グエン ティ ラン"),
    ],
)
def test_a_name_is_found_under_its_other_spelling(written: str, searched: str) -> None:
    assert japanese.name_key(written) == japanese.name_key(searched)


def test_different_names_stay_different() -> None:
    assert japanese.name_key("高橋") != japanese.name_key("高端")


@pytest.mark.parametrize("kana", ["ﾀｶﾊｼ ﾄﾐ", "たかはし　とみ", "タカハシ トミ"])
def test_a_reading_is_found_in_any_kana(kana: str) -> None:
    assert japanese.kana_key(kana) == "タカハシトミ"
