import io
import subprocess
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from pypdf import PdfReader
from pypdf.generic import ContentStream

from madoguchi.booking.models import Service
from madoguchi.foundation import paper, readings
from madoguchi.introduction import actions, queries
from madoguchi.introduction.forms import NoticeForm
from madoguchi.introduction.models import BookingNotice
from madoguchi.introduction.rules import texts
from madoguchi.offices.models import City
from madoguchi.staff.rules import Role
from tests import make

HARD = "𠮷髙﨑葛󠄀"  # outside the first plane, two variants, one with a selector


@pytest.mark.parametrize("on", [None, *(date(2026, 11, day) for day in range(23, 30))])
def test_the_easy_words_of_the_house_leave_no_kanji_unread(on: date | None) -> None:
    words = texts.notice_words(
        service="保育所の入所相談", kana="ほいくしょのにゅうしょそうだん", on=on, phone="03"
    )

    if on is not None:
        assert readings.unread(words.easy_title + words.easy_body) == []
        assert readings.unread(words.title + words.body) == []


def kept(**more: str) -> Service:
    City.objects.get_or_create(pk=1, defaults={"name": "汐見市"})
    service = make.service(kana="ほいくしょのにゅうしょそうだん")
    words = vars(queries.notice_words(service)) | more
    actions.save_notice(service=service, fields=words, by=make.staff(), at=make.NOW)
    return service


def printed(client: Client, service: Service, size: str, **more: str) -> bytes:
    client.force_login(make.staff(Role.CENTRE_HEAD))
    answer = client.post(reverse("introduction:print_notice", args=[service.code, size]), more)
    assert answer.headers["Content-Type"] == "application/pdf"
    return answer.content


def words_of(content: bytes, tmp_path: Path) -> str:
    (tmp_path / "notice.pdf").write_bytes(content)
    found = subprocess.run(
        ["pdftotext", tmp_path / "notice.pdf", "-"], capture_output=True, check=True
    )
    return found.stdout.decode()


@pytest.mark.django_db
class TestPaper:
    @pytest.mark.parametrize(
        ("size", "millimetres"), [("a4", (210, 297)), ("a5", (148, 210)), ("slip", (210, 297))]
    )
    def test_one_page_tagged_with_its_fonts(
        self, client: Client, size: str, millimetres: tuple[int, int]
    ) -> None:
        reader = PdfReader(io.BytesIO(printed(client, kept(), size)))

        assert len(reader.pages) == 1
        box = reader.pages[0].mediabox
        assert (round(box.width / 72 * 25.4), round(box.height / 72 * 25.4)) == millimetres
        catalog: Any = reader.trailer["/Root"]
        assert catalog["/MarkInfo"]["/Marked"]
        assert catalog["/Lang"].startswith("ja")
        assert "pdfuaid:part" in catalog["/Metadata"].get_data().decode()
        resources: Any = reader.pages[0]["/Resources"]
        fonts = resources["/Font"].values()
        assert fonts
        assert all(_is_embedded(font.get_object()) for font in fonts)

    def test_no_glyph_is_missing(self, client: Client, tmp_path: Path) -> None:
        content = printed(client, kept(body=f"{HARD}さんの予約《よやく》"), "a4")

        assert HARD in words_of(content, tmp_path)
        assert 0 not in _drawn(content)

    def test_a_character_that_no_font_has_is_told_and_not_printed(self, client: Client) -> None:
        service = kept(body="外字《がいじ》\U0010fffd")
        client.force_login(make.staff(Role.CENTRE_HEAD))

        answer = client.post(
            reverse("introduction:print_notice", args=[service.code, "a4"]), follow=True
        )

        assert "書体にない文字" in answer.content.decode()
        assert "\U0010fffd" in answer.content.decode()
        assert BookingNotice.objects.get().printed_at is None

    def test_readings_are_printed(self, client: Client, tmp_path: Path) -> None:
        words = words_of(printed(client, kept(), "a4"), tmp_path)

        assert "ほいくしょ" in words
        assert "《" not in words

    def test_the_easy_version_is_another_text(self, client: Client, tmp_path: Path) -> None:
        service = kept(body="ふつうの文", easy_body="やさしい ことば")

        words = words_of(printed(client, service, "a5", words="easy"), tmp_path)

        assert "やさしい ことば" in words
        assert "ふつうの文" not in words

    def test_eight_slips_on_a_sheet(self, client: Client, tmp_path: Path) -> None:
        words = words_of(
            printed(client, kept(body="切《き》り取《と》って使う"), "slip"), tmp_path
        )

        assert words.count("って使う") == 8

    def test_words_are_never_commands(self, client: Client, tmp_path: Path) -> None:
        body = '#panic("x") *a* $b$ @c'

        words = words_of(printed(client, kept(body=body), "a4"), tmp_path)

        assert body in words

    def test_a_print_is_remembered(self, client: Client) -> None:
        service = kept()

        printed(client, service, "a4")

        assert BookingNotice.objects.get().printed_at is not None
        assert queries.standing(service).tasks[3].is_done

    def test_a_machine_without_fonts_says_so(
        self, client: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(paper, "japanese_fonts", list)
        service = kept()
        client.force_login(make.staff(Role.CENTRE_HEAD))

        answer = client.post(
            reverse("introduction:print_notice", args=[service.code, "a4"]), follow=True
        )

        assert "日本語の書体がない" in answer.content.decode()
        assert BookingNotice.objects.get().printed_at is None


def _is_embedded(font: Any) -> bool:
    below = font["/DescendantFonts"][0].get_object()["/FontDescriptor"].get_object()
    return "/FontFile2" in below or "/FontFile3" in below


def _drawn(content: bytes) -> set[int]:
    """Return the glyphs that the page draws; 0 is the box of a missing character."""
    reader = PdfReader(io.BytesIO(content))
    page = ContentStream(reader.pages[0].get_contents(), reader, "bytes")
    glyphs: set[int] = set()
    for operands, operator in page.operations:
        if operator in (b"Tj", b"TJ"):
            pieces = operands[0] if operator == b"TJ" else operands
            for text in (bytes(each) for each in pieces if isinstance(each, bytes)):
                glyphs |= {int.from_bytes(text[i : i + 2]) for i in range(0, len(text), 2)}
    return glyphs


class TestForm:
    def form(self, **more: str) -> NoticeForm:
        words = dict.fromkeys(("title", "body", "easy_title", "easy_body"), "よやく") | more
        return NoticeForm(words)

    def test_easy_words_need_every_reading(self) -> None:
        form = self.form(easy_body="予約《よやく》が必要です")

        assert "必要" in form.errors["easy_body"][0]
        assert self.form(body="予約が必要です").is_valid()

    @pytest.mark.parametrize("wrong", ["よやく《よやく》", "予約《よやく"])
    def test_a_reading_over_nothing_is_told(self, wrong: str) -> None:
        assert "《 》" in self.form(body=wrong).errors["body"][0]


def test_the_first_words_are_counted_once_each() -> None:
    questions = Counter(question for question, _ in texts.QUESTIONS)

    assert max(questions.values()) == 1
    assert any("予約なし" in question for question in questions)
