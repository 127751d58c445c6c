"""
What LINE may carry: a doorbell, never content.

The ministries' guideline for LINE (内閣官房ほか, 2021-04-30) keeps residents' data and what is
consulted off LINE's service. Every text that leaves is one of `TEXTS`, with nothing in it but the
city's name and a link to our own pages.
"""

import unicodedata
from datetime import timedelta
from enum import StrEnum

LINK = timedelta(hours=24)  # how long the link of a notice opens its page, once
FOLLOWING = timedelta(minutes=30)  # how long one may type the number of a booking behind it


class Wish(StrEnum):
    """What somebody wrote, as far as we understand it."""

    BOOK = "book"
    FIND = "find"
    WAITING = "waiting"
    CONSULT = "consult"
    FOLLOW = "follow"
    STOP = "stop"
    MENU = "menu"


WORDS = {
    Wish.STOP: ("停止", "解除", "やめる", "とめる"),
    Wish.FOLLOW: ("お知らせ", "通知", "リマインド", "登録"),
    Wish.FIND: ("変更", "取消", "取り消", "キャンセル", "確認"),
    Wish.WAITING: ("待ち", "混雑", "混んで", "順番"),
    Wish.CONSULT: ("相談", "質問", "意見", "苦情"),
    Wish.BOOK: ("予約",),
}
PAGES = {
    Wish.BOOK: "/services/",
    Wish.FIND: "/appointments/",
    Wish.WAITING: "/congestion/",
    Wish.CONSULT: "/",
}
MENU = (
    "次のことばを送ってください。\n"
    "「予約」…予約のページ\n"
    "「変更」…予約の確認・変更・取り消し\n"
    "「待ち時間」…いまの混みぐあい\n"
    "「相談」…相談のページ\n"
    "「お知らせ」…予約の前の日に、LINEで知らせます\n"
    "「停止」…お知らせを止めます\n"
    "お名前や相談の内容は、ここには書かないでください。"
)
TEXTS = {
    Wish.BOOK: "予約は、次のページでできます。\n{link}",
    Wish.FIND: "予約の確認・変更・取り消しは、次のページでできます。\n{link}",
    Wish.WAITING: "いまの混みぐあいは、次のページで見られます。\n{link}",
    Wish.CONSULT: "ご相談は、次のページからお願いします。ここには書かないでください。\n{link}",
    Wish.FOLLOW: "次のページで、予約番号を入力してください（1回だけ開けます）。\n{link}",
    Wish.STOP: "お知らせを止めました。予約は、そのまま残っています。",
    Wish.MENU: MENU,
}
GREETING = "{city}の窓口です。\n" + MENU
REMINDER = "明日は、ご予約の日です。くわしくは、次のページで（1回だけ開けます）。\n{link}"
FOLLOWED = "前の日に、ここへお知らせします。"


def wish(text: str) -> Wish:
    """
    Return what the text asks for; what we do not understand gets the menu.

    A sentence that holds a word is enough: nobody has to hit a command exactly.
    """
    plain = "".join(unicodedata.normalize("NFKC", text).split())
    for found, words in WORDS.items():
        if any(word in plain for word in words):
            return found
    return Wish.MENU
