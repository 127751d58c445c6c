"""The words a city begins with; each one is edited before it is used."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from madoguchi.foundation.dates import wareki

# ｜base《reading》, as in printed texts of 青空文庫; without ｜ the run of 漢字 before 《.
_KANJI_RUN = "[㐀-䶿一-鿿豈-\ufaff々〆\U00020000-\U0003ffff\U000e0100-\U000e01ef]+"
_RUBY = re.compile(
    r"｜(?P<base>[^｜《》\n]+)《(?P<reading>[^《》\n]+)》"
    rf"|(?P<kanji>{_KANJI_RUN})《(?P<over>[^《》\n]+)》"
)

QUESTIONS = (
    (
        "窓口で、最初に何と声をかけますか。",
        "「予約していますか？」と伺います。予約のある方は受付番号をお渡しし、"
        "ない方には予約制になったことをお伝えして、理由を一つだけ伺って記録します。",
    ),
    (
        "予約なしで来た場合は、どうなりますか。",
        "予約の方を先にご案内し、そのあとの空いた時間に、受け付けた順でお呼びします。"
        "その日のうちにお呼びできそうにないときは、次に来られる日時をその場で予約して、"
        "お帰りいただくことがあります。",
    ),
    (
        "スマートフォンもパソコンもありません。",
        "電話か窓口で、職員が代わりに予約をお取りします。機械の操作は要りません。"
        "伺った件数は毎週数えて、進め方の見直しに使います。",
    ),
    (
        "なぜ予約制にするのですか。",
        "お待ちいただく時間を短くし、担当の職員が準備をしてお迎えするためです。",
    ),
    (
        "予約の時刻に遅れたら、どうなりますか。",
        "5分を過ぎると、お待ちの方を先にご案内します。"
        "遅れそうなときは、お電話をいただければ日時を変えられます。",
    ),
    (
        "家族や支援者が代わりに予約してもよいですか。",
        "かまいません。お名前は、窓口へ来る方のものをお聞かせください。",
    ),
    (
        "急いでいます。今日中に相談したいのですが。",
        "事情を伺い、当日の空きをお探しします。"
        "身の危険や食べるものがないなど、待てないご相談は、予約がなくてもお受けします。",
    ),
    (
        "予約を変えたい、取り消したいときは。",
        "予約番号をお手元に、電話か窓口でお知らせください。オンラインで予約した方は、"
        "届いたメールのリンクからも変えられます。",
    ),
    (
        "予約制になったことに納得できません。",
        "お手数をおかけすることをおわびし、理由を説明します。"
        "ご意見は「予約制への苦情」として数え、毎週、責任者へ報告します。",
    ),
)


@dataclass(frozen=True)
class Words:
    """The words of a notice, with readings, and again in やさしい日本語."""

    title: str
    body: str
    easy_title: str
    easy_body: str


def notice_words(*, service: str, kana: str, on: date | None, phone: str) -> Words:
    """Return the notice a city begins with; `on` None while no day is planned."""
    name = with_reading(service, kana)
    day = wareki(on, weekday=True) if on else "○年○月○日"
    since = day.replace("令和", "令和《れいわ》").replace("年", "年《ねん》", 1)
    since = since.replace("月", "月《がつ》", 1)
    since = re.sub(r"日(?=（|$)", "日《にち》", since)
    for kanji, reading in zip(
        "月火水木金土日", ["げつ", "か", "すい", "もく", "きん", "ど", "にち"], strict=True
    ):
        since = since.replace(f"（{kanji}）", f"（{kanji}《{reading}》）")
    call = f"電話《でんわ》{phone}か、" if phone else "お電話《でんわ》か、"
    return Words(
        title=f"{name}は、予約《よやく》が必要《ひつよう》です",
        body=(
            f"{since}から、予約制《よやくせい》になります。\n"
            "お待《ま》ちいただく時間《じかん》を短《みじか》くするためです。\n"
            f"予約《よやく》は、{call}窓口《まどぐち》で承《うけたまわ》ります。"
            "スマートフォンがなくても予約《よやく》できます。\n"
            "予約《よやく》のない方《かた》は、予約《よやく》の方《かた》のあとにご案内《あんない》します。"
            "その日《ひ》のうちにご案内《あんない》できないことがあります。"
        ),
        easy_title=f"{name}は、予約《よやく》してから 来《き》てください",
        easy_body=(
            f"{since}から 変《か》わります。\n"
            "来《く》る前《まえ》に、日《ひ》と 時間《じかん》を 決《き》めてください。"
            "これを「予約《よやく》」と 言《い》います。\n"
            f"{call}市役所《しやくしょ》の 窓口《まどぐち》で 予約《よやく》できます。\n"
            "予約《よやく》が ない 人《ひと》は、"
            "長《なが》い 時間《じかん》 待《ま》つことが あります。"
        ),
    )


def runs(text: str) -> Iterator[tuple[str, str]]:
    """Give (base, reading) piece by piece; the reading is empty where there is none."""
    end = 0
    for found in _RUBY.finditer(text):
        if found.start() > end:
            yield text[end : found.start()], ""
        yield found["base"] or found["kanji"], found["reading"] or found["over"]
        end = found.end()
    if end < len(text):
        yield text[end:], ""


def plain(text: str) -> str:
    """Return the text without its readings."""
    return "".join(base for base, _ in runs(text))


def unread(text: str) -> list[str]:
    """Return the runs of 漢字 that have no reading: those over which one is missing."""
    bare = "".join("\n" if reading else base for base, reading in runs(text))
    return re.findall(_KANJI_RUN, bare)


def with_reading(base: str, reading: str) -> str:
    """
    Put a reading over the 漢字 of a name: 保育所の入所相談 → 保育所《ほいくしょ》の入所相談《…》.

    The kana of the name are found again in its reading; where they are not, the name stays bare.
    """
    parts = [part for part in re.split(f"({_KANJI_RUN})", base) if part]
    pattern = "".join(
        "(.+?)" if re.fullmatch(_KANJI_RUN, part) else re.escape(_hiragana(part)) for part in parts
    )
    found = re.fullmatch(pattern, _hiragana(reading))
    if found is None:
        return base
    readings = iter(found.groups())
    return "".join(
        f"{part}《{next(readings)}》" if re.fullmatch(_KANJI_RUN, part) else part for part in parts
    )


def _hiragana(text: str) -> str:
    kana = re.sub(r"[ァ-ヶ]", lambda each: chr(ord(each[0]) - 0x60), text)
    return re.sub(r"[\s・　]", "", kana)
