from datetime import UTC, datetime
from itertools import count

import pytest
from django.core import signing

from madoguchi.foundation import work

pytestmark = pytest.mark.django_db
NOW = datetime.now(UTC)


def answer(text: str, *, bits: int) -> str:
    return next(
        f"{text}~{number}" for number in count() if work.zero_bits(f"{text}:{number}") >= bits
    )


def test_the_digest_is_counted_in_bits() -> None:
    assert work.zero_bits("") == 0  # e3b0…
    assert work.zero_bits("abc") == 0  # ba78…
    assert work.zero_bits("The quick brown fox jumps over the lazy dog") == 0  # d7a8…


def test_who_has_computed_goes_on() -> None:
    text = work.challenge(purpose="hold", bits=8)

    work.check(answer(text, bits=8), purpose="hold", bits=8, at=NOW)


class TestRefused:
    def refused(self, sent: str, *, purpose: str = "hold", bits: int = 8) -> bool:
        try:
            work.check(sent, purpose=purpose, bits=bits, at=NOW)
        except work.Unproven:
            return True
        return False

    def test_an_answer_counts_once(self) -> None:
        sent = answer(work.challenge(purpose="hold", bits=8), bits=8)

        assert not self.refused(sent)
        assert self.refused(sent)

    def test_two_answers_to_one_challenge_count_once(self) -> None:
        text = work.challenge(purpose="hold", bits=4)
        found = [n for n in range(2000) if work.zero_bits(f"{text}:{n}") >= 4][:2]

        assert not self.refused(f"{text}~{found[0]}", bits=4)
        assert self.refused(f"{text}~{found[1]}", bits=4)

    def test_a_guess_does_not_fit(self) -> None:
        text = work.challenge(purpose="hold", bits=30)

        assert self.refused(f"{text}~1", bits=30)

    def test_an_easier_challenge_is_none(self) -> None:
        sent = answer(work.challenge(purpose="hold", bits=4), bits=4)

        assert self.refused(sent, bits=8)

    def test_another_purpose_is_none(self) -> None:
        sent = answer(work.challenge(purpose="book", bits=8), bits=8)

        assert self.refused(sent)

    @pytest.mark.parametrize("sent", ["", "~", "abc~1", "a:b:c~1", "x" * 100_000])
    def test_nonsense_is_none(self, sent: str) -> None:
        assert self.refused(sent)

    def test_a_challenge_of_ones_own_is_none(self) -> None:
        text = signing.dumps(["hold", 8, "x"], salt="another")

        assert self.refused(answer(text, bits=8))

    def test_an_old_one_is_none(self, monkeypatch: pytest.MonkeyPatch) -> None:
        sent = answer(work.challenge(purpose="hold", bits=8), bits=8)
        monkeypatch.setattr(work, "LIVES", -work.LIVES)

        assert self.refused(sent)
