"""
Paper: tagged PDF (PDF/UA-1) set by typst from a template of ours.

What is to be printed travels as plain values beside the template and is never read as markup,
so that no text of a city or a resident can become a command. Templates fetch nothing.
"""

import json
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from django.http import HttpResponse
from django.utils.http import content_disposition_header

from madoguchi.foundation.errors import RuleBroken

# The first one that a machine has is used, the others for what it lacks (𠮷, 葛󠄀).
FONTS = ("BIZ UDPGothic", "BIZ UDGothic", "Noto Sans CJK JP", "Noto Sans JP", "IPAexGothic")

_NO_GLYPH = re.compile(r'the text `("[^`]*")` could not be displayed')


class NotPrintable(RuleBroken):
    """The machine has no Japanese font, or no font of it has one of the characters."""


def pdf(template: Path, values: Mapping[str, Any]) -> bytes:
    """
    Set the template with the values and return the PDF.

    The template reads them by `json(bytes(sys.inputs.values))`; `fonts` stands among them.

    :raises NotPrintable: the machine has none of FONTS, or a character is in none of them.
    """
    import typst

    fonts = japanese_fonts()
    if not fonts:
        raise NotPrintable(
            "このサーバーに日本語の書体がないため、PDFを作れません。"
            "システム管理者に、BIZ UDゴシックかNoto Sans CJK JPの追加を頼んでください。"
        )
    try:
        printed = typst.compile(
            template,
            sys_inputs={"values": json.dumps({**values, "fonts": fonts}, ensure_ascii=False)},
            pdf_standards=["ua-1"],
        )
    except typst.TypstError as error:
        # PDF/UA-1 §7.21.8: no page may show the box of a missing character.
        if missing := _NO_GLYPH.search(str(error)):
            raise NotPrintable(
                f"書体にない文字があるため、印刷できません：{json.loads(_unescaped(missing[1]))}"
            ) from error
        raise
    return bytes(printed)


def _unescaped(text: str) -> str:
    """Turn the quotation of an error, "葛\\u{e0100}", into one of JSON."""
    return re.sub(
        r"\\u\{([0-9a-f]+)\}", lambda each: json.dumps(chr(int(each[1], 16)))[1:-1], text
    )


@cache
def japanese_fonts() -> list[str]:
    """Return those of FONTS that this machine has, the preferred one first."""
    import typst

    here = set(typst.Fonts(include_embedded_fonts=False).families())
    return [family for family in FONTS if family in here]


def pdf_response(*, filename: str, content: bytes) -> HttpResponse:
    """Answer with a PDF that the browser shows; it is saved under the name."""
    header = content_disposition_header(False, filename)
    return HttpResponse(
        content, content_type="application/pdf", headers={"Content-Disposition": str(header)}
    )
