from django.db.models import Q, QuerySet

from madoguchi.foundation.japanese import kana_key, name_key
from madoguchi.residents.models import Resident
from madoguchi.residents.rules import opened, phone_key

_BETWEEN_DIGITS = str.maketrans("", "", "-()+‐−ー")


def find_matches(*, name: str = "", kana: str = "", phone: str = "") -> QuerySet[Resident]:
    """
    Return who this may be, whatever the spelling: 髙橋 by 高橋, ﾀｶﾊｼ by たかはし.

    Each given field must agree: name and kana from their beginning, the phone whole. A phone
    never finds a restricted person: whoever holds the number could test it.
    """
    found = Resident.objects.all()
    if name:
        found = found.filter(name_key__startswith=name_key(name))
    if kana:
        found = found.filter(kana_key__startswith=kana_key(kana))
    if phone:
        found = found.filter(phone_key=phone_key(phone), is_restricted=False)
    if not (name_key(name) or kana_key(kana) or phone_key(phone)):
        return found.none()
    return found.order_by("kana_key", "name_key", "pk")


def search(words: str) -> QuerySet[Resident]:
    """Return the residents one line of text may mean: a name, a reading, a phone, or a number."""
    text = words.strip()
    if not name_key(text):
        return Resident.objects.none()
    meant = Q(name_key__contains=name_key(text)) | Q(kana_key__contains=kana_key(text))
    digits = phone_key(text)
    if digits and digits == name_key(text).replace("-", ""):
        meant |= Q(phone_key=digits, is_restricted=False)
        if len(digits) < 10:
            meant |= Q(pk=int(digits))
    return Resident.objects.filter(meant).order_by("kana_key", "name_key", "pk")


def with_phone(text: str) -> QuerySet[Resident] | None:
    """
    Return whom a text that is a whole phone number means; None for any other text.

    Never a restricted person: whoever holds the number could test it.
    """
    digits = phone_key(text)
    if len(digits) < 10 or name_key(text).translate(_BETWEEN_DIGITS) != digits:
        return None
    return Resident.objects.filter(phone_key=digits, is_restricted=False)


def words_about(resident: Resident) -> list[str]:
    """
    Return the words that point at the person: names, phone, mail, address.

    For finding them in a text that is to be masked only: never show or log them.
    """
    contact = (resident.phone, resident.email, resident.address)
    words = [resident.name, resident.kana, *(opened(value) for value in contact)]
    return [word for word in words if word]


def mail_address(resident: Resident) -> str:
    """Return where to write to the person. For the out-tray only: never show or log it."""
    return opened(resident.email)


def changed_for_search() -> QuerySet[Resident]:
    """Return whose name or restriction has changed since search last took note."""
    return Resident.objects.filter(is_new_to_search=True)
