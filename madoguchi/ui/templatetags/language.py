"""Texts that Python wrote, in the language of the page: labels, help, errors, waiting times."""

import re
from typing import Any

from django import template
from django.utils.translation import get_language, gettext

register = template.Library()
_NUMBER = re.compile(r"\d+")


@register.filter
def said(text: Any) -> Any:
    """
    Return the text in the language of the page; unknown texts stay, and all on staff pages.

    Numbers in it are carried over in their order: 「およそ15〜35分」 is looked up as
    「およそ#〜#分」. Rules are plain Python and know no languages; they are translated here.
    """
    if not text or (get_language() or "ja") == "ja":
        return text
    plain = str(text)
    pattern = _NUMBER.sub("#", plain)
    found = gettext(pattern)
    if found == pattern:
        return text
    numbers = iter(_NUMBER.findall(plain))
    return re.sub("#", lambda _: next(numbers, ""), found)
