"""One message, one recipient: the rule, the table, and every trick we could think of."""

from email.utils import getaddresses

import pytest
from django.db import IntegrityError, transaction
from hypothesis import given
from hypothesis import strategies as st

from madoguchi.messaging import actions, rules
from madoguchi.messaging.models import OutboundMessage
from tests import make

TRICKS = (
    "",
    "a@example.jp,b@example.jp",
    "a@example.jp;b@example.jp",
    "a@example.jp b@example.jp",
    "a@example.jp、b@example.jp",
    "a@example.jp，b@example.jp",
    "a@example.jp；b@example.jp",
    "a@example.jp\u3000b@example.jp",
    "a@example.jp\u00a0b@example.jp",
    "a@example.jp\u2028b@example.jp",
    "a@example.jp\nBcc: b@example.jp",
    "a@example.jp\r\nBcc:b@example.jp",
    "a@example.jp\tb@example.jp",
    "A<a@example.jp>",
    "a@example.jp(b@example.jp)",
    '"a@example.jp"@example.jp',
    "a@example.jp|b@example.jp",
    "group:a@example.jp",
    "a@b@example.jp",
    "a.example.jp",
)
NO_ADDRESS = ("@example.jp", "a@")  # one address that no mail reaches: the rule alone says so


def row(to: str) -> OutboundMessage:
    return OutboundMessage.objects.create(
        channel="mail", to=to, subject="件", body="文", created_at=make.NOW, next_try_at=make.NOW
    )


@pytest.mark.django_db
@pytest.mark.parametrize("to", TRICKS)
def test_the_table_refuses_anything_but_one_address(to: str) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        row(to)


@pytest.mark.django_db
@pytest.mark.parametrize("to", TRICKS + NO_ADDRESS)
def test_posting_to_anything_but_one_address_is_refused_in_words(to: str) -> None:
    with pytest.raises(rules.NotOneRecipient):
        actions.post(channel="mail", to=to, subject="件", body="文", at=make.NOW)

    assert not OutboundMessage.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize(
    "to", ["a@example.jp", "a.b+c@sub.example.jp", "花子@例え.jp", "a_%@e.jp"]
)
def test_one_address_is_taken(to: str) -> None:
    assert row(to).pk


@given(
    st.text(
        alphabet=st.sampled_from("ab1@.,;:<>()[]\"'|\\ \t\r\n\u3000，；、\u2028-_%"), max_size=40
    )
)
def test_what_the_rule_lets_pass_is_one_address_to_a_mail_program(to: str) -> None:
    try:
        rules.check_recipient(to, channel=rules.Channel.MAIL)
    except rules.NotOneRecipient:
        return

    assert getaddresses([to]) == [("", to)]
    assert to.count("@") == 1


@pytest.mark.django_db
@given(
    first=st.emails(domains=st.just("example.jp")),
    second=st.emails(domains=st.just("example.jp")),
    between=st.sampled_from(rules.SEPARATORS.replace("\0", "")),
)
def test_no_separator_joins_two_addresses_in_the_table(
    first: str, second: str, between: str
) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        row(f"{first}{between}{second}"[:254])


@pytest.mark.parametrize(
    "subject", ["一行目\n二行目", "一行\r", "予約\r\nBcc: b@example.jp", "a\u2028b"]
)
def test_a_subject_has_one_line(subject: str) -> None:
    with pytest.raises(rules.NotOneLine):
        rules.check_subject(subject)
