"""What is proposed for masking. Each row: the text, and what must not remain readable in it."""

from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from madoguchi.knowledge.rules import mask, mask_candidates
from madoguchi.knowledge.rules.masking import Kind

HIDDEN = (
    # names in kanji, with and without a title, in rare and variant characters
    ("髙橋さんから電話があった。", ["髙橋"]),
    ("担当は髙橋です。", ["髙橋"]),
    ("山﨑様の件で来庁。", ["山﨑"]),
    ("𠮷田さんのお子さんの入所について。", ["𠮷田"]),
    ("渡邉 一郎様は本日欠席。", ["渡邉", "一郎"]),
    ("佐藤花子が窓口に来た。", ["佐藤", "花子"]),
    ("鈴木一郎と鈴木二郎は兄弟である。", ["鈴木一郎", "鈴木二郎"]),
    ("齋藤くんと同じクラス。", ["齋藤"]),
    ("田中太郎（父）より相談。", ["田中太郎"]),
    ("中村先生に診てもらった。", ["中村"]),
    ("小林課長に確認済み。", ["小林"]),
    ("伊藤殿", ["伊藤"]),
    ("葛󠄀城さんの住民票。", ["葛󠄀城"]),
    ("氏名：森 鷗太", ["森", "鷗太"]),
    ("名前は東海林です。", ["東海林"]),
    # kana and Latin names
    ("タナカ ハナコさんが申請。", ["タナカ", "ハナコ"]),
    ("さくらちゃんの保育料。", ["さくら"]),
    ("相談者はヤマダ タロウ。", ["ヤマダ", "タロウ"]),
    ("ｽｽﾞｷさんへ折り返し。", ["ｽｽﾞｷ"]),
    ("グエン・ヴァン・アンさんは在留カードを持参。", ["グエン", "ヴァン", "アン"]),
    ("マリア・サントスさんの夫。", ["マリア", "サントス"]),
    ("Nguyen Van Anさんに通訳を手配。", ["Nguyen", "Van", "An"]),
    ("John Smith様よりメール。", ["John", "Smith"]),
    ("王さんの奥さん。", ["王"]),
    ("金さんから苦情。", ["金"]),
    # telephones
    ("電話は090-1234-5678です。", ["090-1234-5678"]),
    ("０９０－１２３４－５６７８に連絡", ["０９０－１２３４－５６７８"]),
    ("折り返しは09012345678まで", ["09012345678"]),
    ("(03)1234-5678へ", ["1234-5678"]),
    ("自宅 0123ー45ー6789", ["0123ー45ー6789"]),
    ("+81-90-1234-5678", ["90-1234-5678"]),
    ("携帯は080 1111 2222", ["080 1111 2222"]),
    ("電話番号は22の3344と言っていた。", ["22の3344"]),
    ("内線1234の職員", ["1234"]),
    # mail
    ("hanako.yamada@example.jpに送る", ["hanako.yamada@example.jp"]),
    ("ｈａｎａｋｏ＠ｅｘａｍｐｌｅ．ｊｐ", ["ｈａｎａｋｏ＠ｅｘａｍｐｌｅ．ｊｐ"]),
    # dates of birth
    ("昭和35年4月1日生まれの母", ["昭和35年4月1日"]),
    ("S35.4.1生", ["S35.4.1"]),
    ("生年月日は1960年4月1日", ["1960年4月1日"]),
    ("1960/4/1生まれ", ["1960/4/1"]),
    ("平成三十年五月五日生まれの長男", ["平成三十年五月五日"]),
    ("昭和２５年生まれで一人暮らし", ["昭和２５年生まれ"]),
    ("4月1日生まれの子", ["4月1日生まれ"]),
    # addresses
    ("汐見市中央1丁目2番3号に住んでいる。", ["中央1丁目2番3号"]),
    ("汐見市港町三丁目５番地の２", ["港町三丁目５番地の２"]),
    ("港町3-5-2 汐見ハイツ201号室", ["3-5-2", "201"]),
    ("〒123-4567 に転送", ["123-4567"]),
    ("大字浜田123番地4の空き家", ["浜田123番地4"]),
    ("東京都千代田区霞が関1-2-3", ["1-2-3"]),
    ("コーポ汐風102に入居", ["102"]),
    ("市営住宅3棟205号室の水漏れ", ["205"]),
    # numbers
    ("個人番号は123456789012です。", ["123456789012"]),
    ("マイナンバー 1234-5678-9012", ["1234-5678-9012"]),
    ("１２３４５６７８９０１２", ["１２３４５６７８９０１２"]),
    ("受付番号 R8-00012 の続き", ["R8-00012"]),
    ("口座は普通1234567", ["1234567"]),
    ("保険証の記号番号は12-345678", ["345678"]),
    ("整理番号A12345の通知", ["12345"]),
    ("在留カード番号AB12345678CD", ["12345678"]),
    ("車は品川 500 あ 12-34", ["12-34"]),
    ("カード番号 4111 1111 1111 1111", ["4111 1111 1111 1111"]),
)

UNTOUCHED = (
    "引っ越したら14日以内に転入届を出してください。",
    "市民課は本庁舎1階です。受付は8時30分から17時15分までです。",
    "手数料は1通300円です。",
    "お客さんが多い日は、月曜日です。",
    "申請者さんには、本人確認書類をお持ちいただきます。",
    "保護者の皆様へお知らせします。",
    "65歳以上の方は、年1,000円で購入できます。",
    "ごみの収集は、毎週2回です。",
    "お子さんが18歳になる年度の末まで、無料です。",
    "奥さんと相談してから決めたいとのこと。",
    "保育課の担当者に引き継いだ。",
    "介護保険の要介護3の認定を受けた。",
)


@pytest.mark.parametrize(("text", "secrets"), HIDDEN, ids=[text for text, _ in HIDDEN])
def test_what_points_at_a_person_is_masked(text: str, secrets: list[str]) -> None:
    masked = mask(text, mask_candidates(text))

    assert [secret for secret in secrets if secret in masked] == []


@pytest.mark.parametrize("text", UNTOUCHED)
def test_what_points_at_nobody_stays_readable(text: str) -> None:
    assert mask(text, mask_candidates(text)) == text


@pytest.mark.parametrize(
    ("known", "text"),
    [
        ("高橋 恵子", "髙橋　惠子は不在。"),
        ("髙橋恵子", "高橋さん宅、高橋恵子は留守。"),
        ("山田 太郎", "山田の家に行った。"),
        ("タカハシ ケイコ", "ﾀｶﾊｼ ｹｲｺ と名乗った。"),
        ("000-0000-1234", "いつもの000-0000-1234へ。"),
        ("海 太", "海太がそう話した。"),
    ],
)
def test_names_of_the_case_are_found_in_every_spelling(known: str, text: str) -> None:
    masked = mask(text, mask_candidates(text, known=[known]))

    for secret in ("髙橋", "高橋", "惠子", "恵子", "山田", "ﾀｶﾊｼ", "1234", "海太"):
        assert secret not in masked


def test_the_mask_says_what_was_there() -> None:
    text = "佐藤さん（090-1234-5678）は汐見市中央1丁目2番3号に住む。"

    masked = mask(text, mask_candidates(text))

    assert masked == "［氏名］さん（［電話番号］）は［住所］に住む。"


def test_spans_are_in_order_do_not_overlap_and_quote_the_text() -> None:
    text = "髙橋 花子さん 090-1234-5678 口座番号1234567 汐見市中央1丁目2番3号"

    spans = mask_candidates(text, known=["高橋花子", "髙橋 花子"])

    assert all(first.end <= second.start for first, second in pairwise(spans))
    assert [text[span.start : span.end] for span in spans] == [span.text for span in spans]
    assert {Kind.NAME, Kind.PHONE, Kind.NUMBER, Kind.ADDRESS} <= {span.kind for span in spans}


@settings(suppress_health_check=[HealthCheck.too_slow])  # a busy machine is no fault
@given(st.text(max_size=200), st.lists(st.text(max_size=8), max_size=3))
def test_any_text_at_all_is_read_without_an_error(text: str, known: list[str]) -> None:
    spans = mask_candidates(text, known=known)

    assert all(0 <= span.start < span.end <= len(text) for span in spans)


@pytest.mark.parametrize("unit", ["市", "汐見市", "1-", "ア・", "A", "漢", "山田 "])
def test_a_hostile_text_comes_to_an_end(unit: str) -> None:
    """Without bounds on the repetitions the first of these takes hours, not a second."""
    assert isinstance(mask_candidates(unit * 10_000), list)
