"""Every text of the citizens' pages stands in every language, with its values in their places."""

import re
from pathlib import Path

import polib
import pytest
from django.test import Client

from madoguchi.ui.templatetags.language import said
from tests import make
from tests.catalogues import JAPANESE, LANGUAGES, catalogue, public_templates, texts

VALUE = re.compile(r"%\(\w+\)s|#|</?strong>")
# Kept in Japanese: what LINE is told in Japanese, an example of what to type, a mark of a list.
MAY_HOLD_JAPANESE = re.compile(r"停止|例|引っ越|保育所|税金|ごみ|×|休")
_TAGS = re.compile(r"{#.*?#}|{%.*?%}|{{.*?}}|<[^>]*>", re.DOTALL)
_ASKED = re.compile(r"{%.*?%}")
_BLOCKS = re.compile(r"{%\s*blocktranslate.*?endblocktranslate\s*%}", re.DOTALL)
_ATTRIBUTE = re.compile(r'(?:aria-label|alt|placeholder|title)="[^"{]*[ぁ-んァ-ヶ一-龥]')
STAFF = re.compile(r'extends "ui/staff|_staff|ui/sheet')


def entries(language: str) -> dict[str, str]:
    return {entry.msgid: entry.msgstr for entry in polib.pofile(str(catalogue(language)))}


@pytest.mark.parametrize("language", LANGUAGES)
class TestCatalogue:
    def test_it_has_every_text_and_no_other(self, language: str) -> None:
        assert sorted(set(texts()) ^ set(entries(language))) == []

    def test_nothing_is_left_to_translate(self, language: str) -> None:
        assert [text for text, said_so in entries(language).items() if not said_so] == []

    def test_values_and_marks_are_kept(self, language: str) -> None:
        wrong = [
            text
            for text, translated in entries(language).items()
            if sorted(VALUE.findall(text)) != sorted(VALUE.findall(translated))
        ]

        assert wrong == []

    def test_it_is_compiled_as_it_stands(self, language: str) -> None:
        compiled = polib.mofile(str(catalogue(language).with_suffix(".mo")))

        assert {entry.msgid: entry.msgstr for entry in compiled} == entries(language)

    def test_no_kana_is_left_over(self, language: str) -> None:
        kana = re.compile(r"[ぁ-んァ-ヶ]")
        left = [t for t in entries(language).values() if kana.search(t)]

        assert [text for text in left if not MAY_HOLD_JAPANESE.search(text)] == []


@pytest.mark.parametrize("file", public_templates(), ids=lambda file: file.name)
def test_a_public_template_marks_all_it_says(file: Path) -> None:
    source = file.read_text(encoding="utf-8")
    if STAFF.search(source):
        return
    plain = _TAGS.sub("\n", _BLOCKS.sub("", source))

    assert [line for line in plain.splitlines() if JAPANESE.search(line)] == []
    assert _ATTRIBUTE.findall(_ASKED.sub("", source)) == []


class TestPages:
    pytestmark = pytest.mark.django_db

    def test_a_page_speaks_the_chosen_language(self, client: Client) -> None:
        answer = client.post("/language/", {"language": "vi", "next": "/services/?q=x"})

        assert answer["Location"] == "/services/?q=x"
        page = client.get("/services/").content.decode()
        assert '<html lang="vi">' in page
        assert "Đặt hẹn" in page

    def test_staff_read_japanese(self, client: Client) -> None:
        client.post("/language/", {"language": "en"})
        client.force_login(make.staff())

        page = client.get("/staff/").content.decode()

        assert '<html lang="ja">' in page
        assert "今日の机" in page

    @pytest.mark.parametrize("place", ["https://evil.example/", "//evil.example", "\\evil", ""])
    def test_the_way_back_stays_in_the_house(self, client: Client, place: str) -> None:
        answer = client.post("/language/", {"language": "en", "next": place})

        assert answer["Location"] == "/"

    def test_an_unknown_language_changes_nothing(self, client: Client) -> None:
        client.post("/language/", {"language": "xx"})

        assert '<html lang="ja">' in client.get("/").content.decode()

    def test_a_refusal_is_said_in_the_language_too(self, client: Client) -> None:
        client.post("/language/", {"language": "pt"})

        page = client.post("/appointments/", {"number": "K7XM-3PWC"}).content.decode()

        assert "Verifique" in page

    def test_a_mail_stays_japanese(self, client: Client) -> None:
        from django.utils import translation

        from madoguchi.booking import actions
        from madoguchi.messaging.models import OutboundMessage

        booked = make.appointment(make.service(), email="a@mail.example")
        with translation.override("en"):
            actions.cancel(appointment=booked, by=make.staff(), at=make.NOW)

        body = OutboundMessage.objects.get().body
        assert "令和" in body


def test_numbers_are_carried_over() -> None:
    from django.utils import translation

    with translation.override("en"):
        assert said("およそ15〜35分") == "about 15–35 min"
        assert said("知らないことば") == "知らないことば"
