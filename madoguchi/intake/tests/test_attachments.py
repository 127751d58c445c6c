import struct
import zlib
from io import BytesIO
from typing import Any
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from PIL import Image

from madoguchi.audit.models import AuditEvent
from madoguchi.intake import rules
from madoguchi.intake.models import Attachment, Submission
from tests import make

pytestmark = pytest.mark.django_db
PDF = b"%PDF-1.7\n%%EOF"


def picture(form: str = "PNG", size: tuple[int, int] = (4, 3)) -> bytes:
    out = BytesIO()
    Image.new("RGB", size).save(out, form)
    return out.getvalue()


def png_that_says(width: int, height: int) -> bytes:
    """A few bytes that would unfold to width × height."""
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = [(b"IHDR", head), (b"IDAT", zlib.compress(b"\0")), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in parts
    )


def send(client: Client, *files: tuple[str, bytes]) -> Any:
    make.category("その他", code="OTHER")
    papers = [SimpleUploadedFile(name, content, "image/jpeg") for name, content in files]
    fields = {"key": uuid4(), "kind": "request", "text": "見てください。", "papers": papers}
    return client.post(reverse("intake:submit"), fields)


def test_the_content_says_what_a_file_is_and_not_its_name(client: Client) -> None:
    send(client, ("a.txt", picture()), ("b.exe", picture("JPEG")), ("c.jpg", PDF))

    kept = Attachment.objects.values_list("media_type", flat=True)
    assert list(kept) == ["image/png", "image/jpeg", "application/pdf"]


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("page.jpg", b"<html><script>alert(1)</script>", "写真（JPEG、PNG）とPDFだけ"),
        (
            "drawing.png",
            b"<svg xmlns='http://www.w3.org/2000/svg'/>",
            "写真（JPEG、PNG）とPDFだけ",
        ),
        ("torn.png", b"\x89PNG\r\n\x1a\n torn", "写真（JPEG、PNG）とPDFだけ"),
        ("torn.jpg", b"\xff\xd8\xff", "写真（JPEG、PNG）とPDFだけ"),
        ("bomb.png", png_that_says(60_000, 60_000), "大きすぎる"),
        ("large.png", png_that_says(10_000, 7_000), "大きすぎる"),
        ("long.pdf", PDF + b" " * rules.MOST_BYTES, "大きすぎる"),
        ("empty.pdf", b"", "空のファイル"),
    ],
)
def test_what_is_not_taken_is_said_and_the_text_is_kept(
    client: Client, name: str, content: bytes, words: str
) -> None:
    page = send(client, (name, content)).content.decode()

    assert words in page
    assert "見てください。" in page
    assert not Submission.objects.exists()


def test_three_files_and_no_more(client: Client) -> None:
    assert "3つまで" in send(client, *[(f"{n}.pdf", PDF) for n in range(4)]).content.decode()
    assert not Attachment.objects.exists()


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\写真\\家.jpg", "家.jpg"),
        ("a\u202egpj.exe", "agpj.exe"),
        ("長" * 300 + ".jpg", "長" * 100 + ".jpg"),
        ("", "file"),
    ],
)
def test_a_name_leads_nowhere_and_hides_nothing(given: str, shown: str) -> None:
    assert rules.file_name(given) == shown


class TestGivenBack:
    @pytest.fixture(autouse=True)
    def _sent(self, client: Client) -> None:
        send(client, ("家.jpg", picture("JPEG")))
        self.found = Submission.objects.get()
        self.file = Attachment.objects.get()

    def test_staff_get_the_very_bytes_to_keep_and_not_to_run(self, client: Client) -> None:
        client.force_login(make.staff())

        answer = client.get(reverse("intake:file", args=[self.found.number, self.file.pk]))

        assert answer.content == picture("JPEG")
        assert answer["Content-Disposition"].startswith("attachment;")
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert AuditEvent.objects.filter(verb="submission.read").count() == 1

    def test_a_file_of_another_submission_is_not_found(self, client: Client) -> None:
        send(client, ("b.pdf", PDF))
        other = Submission.objects.latest("pk")
        client.force_login(make.staff())

        answer = client.get(reverse("intake:file", args=[other.number, self.file.pk]))

        assert answer.status_code == 404

    def test_who_sent_it_gets_it_back_with_number_and_code_alone(self, client: Client) -> None:
        url = reverse("intake:own_file", args=[self.file.pk])
        assert client.get(url)["Location"] == reverse("intake:open_page")
        page = client.get(reverse("intake:received")).content.decode()
        number, code = (part.partition("<")[0] for part in page.split('class="receipt">')[1:])

        client.post(reverse("intake:open_page"), {"number": number, "code": code})

        assert "家.jpg" in client.get(reverse("intake:page")).content.decode()
        assert client.get(url).content == picture("JPEG")
