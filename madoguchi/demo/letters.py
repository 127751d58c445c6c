"""Letters to the mayor of 汐見市: one answered, one late, one with three items on its way."""

from datetime import datetime, timedelta

from madoguchi.booking.rules import JST
from madoguchi.casework import actions as casework
from madoguchi.casework.models import Category
from madoguchi.casework.rules import Channel, Kind, Result, Understanding
from madoguchi.letters import actions
from madoguchi.letters.actions import Said
from madoguchi.letters.models import MayorLetter
from madoguchi.letters.rules import Outcome
from madoguchi.offices.models import Division
from madoguchi.staff.models import User

# Who writes, how many days ago, and what is said: title, text, field's code, division's name.
LETTERS = (
    (
        ("磯貝 正彦", "イソガイ　マサヒコ", ""),
        26,
        (
            (
                "バス停の屋根がない",
                "中央病院前のバス停に屋根がなく、雨の日に待つのがつらいです。",
                "都市整備課",
            ),
        ),
    ),
    (
        None,
        20,
        (
            (
                "窓口の案内が分かりにくい",
                "どの窓口に行けばよいか、入口で分かりませんでした。",
                "総務課",
            ),
            (
                "休日に相談したい",
                "平日は仕事で行けません。休みの日に相談できるようにしてください。",
                "市民相談センター",
            ),
        ),
    ),
    (
        ("渚 千尋", "ナギサ　チヒロ", "00000003111"),
        3,
        (
            (
                "公園の遊具が使えない",
                "海浜公園のすべり台が、3か月も使用禁止のままです。",
                "道路公園センター",
            ),
            (
                "一時預かりの予約",
                "電話だけで、仕事中はかけられません。ほかの方法がほしいです。",
                "保育課",
            ),
            ("図書館の開館時間", "仕事帰りに寄れるよう、夜まで開けてほしいです。", "学校教育課"),
        ),
    ),
)


def write_letters(*, at: datetime) -> None:
    """Enter the letters as the centre did, and answer the first one."""
    by = User.objects.get(username="soudan")
    divisions = {division.name: division for division in Division.objects.all()}
    centre = Division.objects.get(is_centre=True)
    category = Category.objects.order_by("position", "pk").first()
    assert category is not None  # noqa: S101 the city has its fields
    for number, (sender, days, said) in enumerate(LETTERS):
        when = at - timedelta(days=days)
        letter = actions.receive(
            channel=Channel.MAYOR_LETTER.value,
            text="\n\n".join(text for _, text, _ in said),
            items=[
                Said(title, text, Kind.REQUEST.value, category, divisions.get(name, centre))
                for title, text, name in said
            ],
            received_on=when.astimezone(JST).date(),
            sender=dict(zip(("name", "kana", "phone"), sender, strict=True)) if sender else None,
            by=by,
            at=when,
        )
        if number == 0:
            _answer(letter, by=by, at=when + timedelta(days=9))


def _answer(letter: MayorLetter, *, by: User, at: datetime) -> None:
    for item in letter.items.select_related("case"):
        casework.close(
            case=item.case,
            conclusion="来年度、屋根を設けます。",
            result=Result.ADVISED.value,
            reason="利用する方が多く、病院と費用を分け合うことになったためです。",
            understanding=Understanding.AGREED.value,
            by=by,
            at=at,
        )
        actions.set_outcome(item=item, outcome=Outcome.REFLECTED, by=by, at=at)
    actions.answer(
        letter=letter,
        text="お手紙をありがとうございました。来年度、屋根を設けます。",
        by=by,
        at=at,
    )
