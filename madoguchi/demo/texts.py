"""Consultations in words: matters.txt, filled with details."""

import re
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from random import Random

FIELDS = {
    "題": "title",
    "話": "story",
    "訳": "behind",
    "望": "wish",
    "応": "advice",
    "託": "note",
    "返": "outcome",
    "結": "conclusion",
    "由": "reason",
}
_CHOICE = re.compile(r"\[([^\]]+)\]")
_DETAIL = re.compile(r"\{([^}]+)\}")

TOWNS = (
    "港町",
    "中央",
    "東台",
    "西汐",
    "浜田町",
    "松原",
    "桜ヶ丘",
    "北浦",
    "南が丘",
    "青葉台",
    "大手町",
    "緑ヶ浜",
    "川口町",
    "三ツ橋",
    "汐見台",
    "葛󠄀原",
)
CHILDREN = (
    "0歳の子",
    "1歳の子",
    "2歳の子",
    "3歳の子",
    "4歳の子",
    "5歳の子",
    "1歳と4歳の子",
    "双子の1歳の子",
    "2歳と5歳の子",
    "3歳の娘",
    "2歳の息子",
    "生後8か月の子",
)
SHOPS = ("喫茶店", "パン屋", "弁当屋", "美容室", "花屋", "民宿", "古本屋", "自転車屋", "食堂")
KIN = ("父", "母", "夫", "妻", "祖母", "祖父", "義母", "義父", "叔母", "兄")

# How people come and how they are: a sentence between the story and the wish.
AT_A_DISTANCE = (
    "以前にも問い合わせたことがある。",
    "知人にこの窓口を教えてもらった。",
    "インターネットで調べたが、分からなかった。",
    "話すうちに落ち着かれた。",
    "少し急いでおられる様子。",
    "町内会の役員もしておられる。",
    "家族には、自分から話すとのこと。",
    "連絡は平日の午後を希望される。",
    "連絡は携帯電話の留守番電話でよいとのこと。",
    "返事は急がないとのこと。",
    "できれば今週中に見通しを知りたいとのこと。",
    "仕事があり、平日に市役所へ行くのは難しいとのこと。",
)
IN_PERSON = (
    *AT_A_DISTANCE,
    "仕事の昼休みに来られた。",
    "ご家族と一緒に来られた。",
    "メモを取りながら話された。",
    "書類を封筒ごと持って来られた。",
    "通院の帰りに寄られた。",
    "バスで来られたため、帰りの便までに終えたいとのこと。",
    "小さなお子さんを連れて来られた。",
    "広報紙を見て来られた。",
    "別の課で案内されて来られた。",
    "耳が遠いため、ゆっくり大きな声で話した。",
    "老眼鏡を忘れたとのことで、読み上げながら話した。",
    "夜勤明けで来られた。",
    "電話では話しにくいと言われた。",
)
FIRST_WORDS = (
    "話を最後まで聴き、要点を復唱して確かめた。",
    "気持ちを受け止めたうえで、今日できることを確かめた。",
    "用件を3つに分け、急ぐものから答えることにした。",
    "事情を聞き取り、記録することと、担当の課に伝えることの了解を得た。",
    "事実と希望を分けて聞き取り、市でできることを確かめた。",
    "いつから、どのくらいの頻度かを聞き取り、控えた。",
)
FIRST_CONTACTS = (
    *FIRST_WORDS,
    "来庁の経緯を聞き、何がいちばん困っているかを確かめた。",
    "持参の書類を一緒に見て、事実を日付の順に整理した。",
    "質問を交えながら聞き取り、分からない言葉を言い換えて説明した。",
)
FOLLOW_UPS = (
    "電話で、その後の様子を聞いた。手続きは進んでいるとのこと。",
    "本人から電話があり、書類がそろったとの報告を受けた。",
    "担当の課から連絡を受け、本人に電話で伝えた。",
    "案内した資料について質問があり、説明した。",
    "留守番電話に、折り返しをお願いする旨だけを残した。",
    "本人が来庁。前回の説明を確かめ、次の手順を書いて渡した。",
    "郵便で案内を送り、届いたことを電話で確かめた。",
)
DECLINES = (
    "担当者が終日現場に出ているため、明日の午前に改めて依頼してください。",
    "内容から、別の課の所管と思われます。下記の課に確認してください。",
    "議会の対応と重なり、本日は出向けません。電話で説明します。",
)
COMMENTS = (
    "担当の方が部屋まで来てくれて、歩き回らずに済みました。",
    "話をよく聞いてもらえて、ほっとしました。",
    "もう少し早く案内してもらえると助かります。",
    "説明が分かりやすく、紙に書いてもらえたのがよかったです。",
    "待つ場所の声が聞こえて、少し気になりました。",
    "休みの日に開いていて助かりました。",
    "結論に納得したわけではありませんが、理由は分かりました。",
    "電話がつながりにくかったです。",
    "同じことを何度も話さずに済みました。",
    "また相談します。ありがとうございました。",
)


@dataclass(frozen=True)
class Matter:
    """One kind of matter: where it belongs, how often it comes, and ways to tell it."""

    category: str
    division: str
    weight: int
    lines: dict[str, tuple[str, ...]] = field(hash=False)


@dataclass(frozen=True)
class Telling:
    """One consultation, told."""

    title: str
    summary: str
    first_contact: str
    advice: str
    note: str
    outcome: str
    conclusion: str
    reason: str


@cache
def matters() -> tuple[Matter, ...]:
    """Read matters.txt."""
    found: list[Matter] = []
    text = (Path(__file__).parent / "matters.txt").read_text(encoding="utf-8")
    for line in text.splitlines():
        if line.startswith("== "):
            category, division, weight = line.removeprefix("== ").split()
            found.append(Matter(category, division, int(weight), {}))
        elif line[:1] in FIELDS and line[1:2] == ":":
            variants = tuple(each.strip() for each in line[2:].split(" | "))
            found[-1].lines[FIELDS[line[0]]] = variants
    return tuple(found)


def tell(matter: Matter, *, rng: Random, is_in_person: bool) -> Telling:
    """Tell the matter once, with details of its own."""
    lines = matter.lines
    which = rng.randrange(len(lines["title"]))
    details: dict[str, str] = {}

    def say(name: str) -> str:
        variants = lines[name]
        aligned = len(variants) == len(lines["title"])
        text = variants[which] if aligned else rng.choice(variants)
        text = _CHOICE.sub(lambda found: rng.choice(found[1].split("/")), text)
        return _DETAIL.sub(lambda found: _detail(found[1], details, rng), text)

    summary = [say("story"), say("behind")]
    if rng.random() < 0.6:
        summary.append(rng.choice(IN_PERSON if is_in_person else AT_A_DISTANCE))
    summary.append(say("wish"))
    return Telling(
        title=say("title"),
        summary="".join(summary),
        first_contact=rng.choice(FIRST_CONTACTS if is_in_person else FIRST_WORDS),
        advice=say("advice"),
        note=say("note"),
        outcome=say("outcome"),
        conclusion=say("conclusion"),
        reason=say("reason"),
    )


def _detail(name: str, details: dict[str, str], rng: Random) -> str:
    if name not in details:
        details[name] = _new_detail(name, rng)
    return details[name]


def _new_detail(name: str, rng: Random) -> str:
    match name:
        case "町":
            return rng.choice(TOWNS)
        case "子":
            return rng.choice(CHILDREN)
        case "続柄":
            return rng.choice(KIN)
        case "店":
            return rng.choice(SHOPS)
        case "曜":
            return rng.choice("月火水木金土日")
        case "月":
            return f"{rng.randint(1, 12)}月"
        case "日":
            return str(rng.randint(2, 28))
        case "時":
            return str(rng.randint(10, 12))
        case "時2":
            return str(rng.randint(9, 16))
        case "丁" | "学年":
            return str(rng.randint(1, 5))
        case "回":
            return str(rng.randint(2, 5))
        case "歳":
            return str(rng.randint(68, 94))
        case "歳2":
            return str(rng.randint(22, 58))
        case "額":
            return f"{rng.randint(8, 120)}万"
        case "小額" | "小額2":
            return f"{rng.randint(1, 9)}万{rng.randint(1, 9)}千"
    raise KeyError(name)
