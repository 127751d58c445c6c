"""Names of people who do not exist, spelled in all the ways people are."""

from dataclasses import dataclass
from random import Random

from madoguchi.demo.texts import TOWNS

SURNAMES = (
    ("髙橋", "タカハシ"),
    ("高橋", "タカハシ"),
    ("川﨑", "カワサキ"),
    ("川崎", "カワサキ"),
    ("山﨑", "ヤマサキ"),
    ("𠮷田", "ヨシダ"),
    ("吉田", "ヨシダ"),
    ("松𠮷", "マツヨシ"),
    ("葛󠄀西", "カサイ"),
    ("葛西", "カサイ"),
    ("渡邉", "ワタナベ"),
    ("渡邊", "ワタナベ"),
    ("渡辺", "ワタナベ"),
    ("斎藤", "サイトウ"),
    ("齋藤", "サイトウ"),
    ("濵田", "ハマダ"),
    ("浜田", "ハマダ"),
    ("佐藤", "サトウ"),
    ("鈴木", "スズキ"),
    ("田中", "タナカ"),
    ("伊藤", "イトウ"),
    ("山本", "ヤマモト"),
    ("中村", "ナカムラ"),
    ("小林", "コバヤシ"),
    ("加藤", "カトウ"),
    ("森", "モリ"),
    ("若松", "ワカマツ"),
    ("岩瀬", "イワセ"),
    ("越智", "オチ"),
    ("村上", "ムラカミ"),
    ("河野", "コウノ"),
    ("矢野", "ヤノ"),
    ("近藤", "コンドウ"),
    ("藤原", "フジワラ"),
    ("阿部", "アベ"),
    ("西原", "ニシハラ"),
    ("大澤", "オオサワ"),
    ("長谷川", "ハセガワ"),
    ("桧垣", "ヒガキ"),
    ("丹下", "タンゲ"),
    ("八木", "ヤギ"),
    ("真鍋", "マナベ"),
    ("別府", "ベップ"),
    ("菅", "カン"),
)
GIVEN = (
    ("トミ", "トミ"),
    ("健一", "ケンイチ"),
    ("彩香", "アヤカ"),
    ("浩二", "コウジ"),
    ("里奈", "リナ"),
    ("正", "タダシ"),
    ("陽子", "ヨウコ"),
    ("美咲", "ミサキ"),
    ("翔太", "ショウタ"),
    ("結衣", "ユイ"),
    ("大輔", "ダイスケ"),
    ("千代子", "チヨコ"),
    ("和夫", "カズオ"),
    ("幸子", "サチコ"),
    ("誠", "マコト"),
    ("由美", "ユミ"),
    ("隆", "タカシ"),
    ("恵", "メグミ"),
    ("直樹", "ナオキ"),
    ("明美", "アケミ"),
    ("昭三", "ショウゾウ"),
    ("ハツエ", "ハツエ"),
    ("蓮", "レン"),
    ("葵", "アオイ"),
    ("悠真", "ユウマ"),
    ("さくら", "サクラ"),
    ("徹", "トオル"),
    ("良子", "ヨシコ"),
    ("文雄", "フミオ"),
    ("久美", "クミ"),
    ("拓也", "タクヤ"),
    ("真理", "マリ"),
)
FOREIGN = (
    ("グエン ティ ラン", "グエン ティ ラン", "ベトナム語・やさしい日本語"),
    ("マリア サントス", "マリア サントス", "英語・やさしい日本語"),
    ("王 小梅", "オウ ショウバイ", "中国語"),
    ("ラメシュ タパ", "ラメシュ タパ", "ネパール語・やさしい日本語"),
    ("キム ミンジ", "キム ミンジ", "韓国語"),
)
ACCOMMODATIONS = (
    ("聴覚", "耳が遠い。大きな声でゆっくり。"),
    ("聴覚", "筆談を希望。"),
    ("視覚", "大きな字の資料を用意する。"),
    ("移動", "車いす。入口に近い相談室を使う。"),
    ("移動", "階段がつらい。"),
    ("通訳", "電話の通訳を使う。"),
    ("体調", "30分ごとに休憩を入れる。"),
    ("心理", "予定の変更は前もって伝える。"),
)


@dataclass(frozen=True)
class Person:
    """Somebody of 汐見市, as the register would have them."""

    name: str
    kana: str
    phone: str
    email: str
    address: str
    birth_year: int
    language: str = ""


def invent(rng: Random) -> Person:
    """Invent a person; one in forty comes from abroad."""
    if rng.random() < 0.025:
        name, kana, language = rng.choice(FOREIGN)
    else:
        surname, given = rng.choice(SURNAMES), rng.choice(GIVEN)
        name, kana, language = f"{surname[0]} {given[0]}", f"{surname[1]} {given[1]}", ""
    has_mail = rng.random() < 0.35
    town = rng.choice(TOWNS)
    return Person(
        name=name,
        kana=kana,
        phone=f"000-0000-{rng.randrange(3000, 10_000)}" if rng.random() < 0.85 else "",
        email=f"demo{rng.randrange(1, 100_000)}@example.jp" if has_mail else "",
        address=f"汐見市{town}{rng.randint(1, 5)}丁目{rng.randint(1, 30)}番{rng.randint(1, 20)}号",
        birth_year=rng.randint(1936, 2004),
        language=language,
    )
