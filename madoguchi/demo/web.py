"""What came in on the web in 汐見市 since last evening: one answered, the others waiting."""

from datetime import datetime, timedelta
from uuid import NAMESPACE_URL, UUID, uuid5

from madoguchi.casework.models import Category
from madoguchi.intake import actions as intake
from madoguchi.staff.models import User

# Category, kind, text, name; hours before now.
SUBMISSIONS = (
    (
        "CHILD",
        "consultation",
        "来年の4月に保育所に入れたいのですが、仕事を探しているところです。\n"
        "働いていなくても申し込めますか。",
        "浜田 みなみ",
        14,
    ),
    (
        "NEIGHBOR",
        "request",
        "西町の公園の横にある空き家の木が、道にはみ出しています。\n"
        "通学路なので、子どもが車道を歩いています。見に来てください。",
        "",
        11,
    ),
    (
        "ADMIN",
        "thanks",
        "先日、転入の手続きでお世話になりました。窓口の方がゆっくり説明してくださり、助かりました。",
        "",
        3,
    ),
)
ANSWER = (
    "求職中でも申し込めます。申し込みのときに、ハローワークの登録証の写しをお持ちください。\n"
    "入所の日から3か月以内に働き始めることが条件になります。"
)
MORE = "ありがとうございます。登録はこれからです。先に申し込んで、あとから出すこともできますか。"


def receive_on_the_web(*, seed: int, at: datetime) -> None:
    """Let residents write, an officer answer the first of them, and that one write again."""
    officer = User.objects.select_related("division").get(username="soudan")

    def key(word: str) -> UUID:
        return uuid5(NAMESPACE_URL, f"madoguchi-demo-{seed}-{word}")

    made = [
        intake.submit(
            kind=kind,
            category=Category.objects.get(code=code),
            text=text,
            name=name,
            phone="",
            email="",
            wants_reply=kind != "thanks",
            at=at - timedelta(hours=hours),
            key=key(code),
        )
        for code, kind, text, name, hours in SUBMISSIONS
    ]
    first = made[0]
    intake.take_up(
        submission=first,
        kind=first.kind,
        category=first.category,
        title="求職中の保育所の申し込み",
        owner=officer.division,
        by=officer,
        at=at - timedelta(minutes=40),
    )
    intake.reply(
        submission=first,
        text=ANSWER,
        by=officer,
        at=at - timedelta(minutes=35),
        key=key("answer"),
    )
    intake.write_again(
        submission=first,
        text=MORE,
        at=at - timedelta(minutes=12),
        key=key("more"),
    )
