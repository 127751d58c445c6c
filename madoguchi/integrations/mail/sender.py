"""Mail by SMTP (RFC 5321): one connection, one recipient, one message."""

import smtplib

from django.conf import settings
from django.core.mail import BadHeaderError, EmailMessage
from django.core.mail.backends.smtp import EmailBackend

from madoguchi.messaging.ports import Envelope, SendFailed


def as_mail(envelope: Envelope) -> EmailMessage:
    """
    Return the mail with a Message-ID made of the key: sent twice, it is recognised as one.

    Auto-Submitted keeps absence notices from answering (RFC 3834).
    """
    domain = settings.SMTP_FROM.rpartition("@")[2]
    return EmailMessage(
        subject=envelope.subject,
        body=envelope.body,
        from_email=settings.SMTP_FROM,
        to=[envelope.to],
        headers={
            "Message-ID": f"<{envelope.key}@{domain}>",
            "Auto-Submitted": "auto-generated",
        },
    )


class SmtpSender:
    def send(self, envelope: Envelope) -> None:
        if not settings.SMTP_HOST:
            raise SendFailed("SMTP not set", permanent=False)
        backend = EmailBackend(
            host=settings.SMTP_HOST,
            port=settings.SMTP_PORT,
            username=settings.SMTP_USER,
            password=settings.SMTP_PASSWORD,
            use_tls=settings.SMTP_SECURITY == "starttls",
            use_ssl=settings.SMTP_SECURITY == "tls",
            timeout=settings.SMTP_TIMEOUT,
        )
        try:
            backend.send_messages([as_mail(envelope)])
        except BadHeaderError as error:
            raise SendFailed("BadHeaderError", permanent=True) from error
        except smtplib.SMTPRecipientsRefused as error:
            [(code, _)] = error.recipients.values()
            raise SendFailed(f"SMTP {code}", permanent=_is_final(code)) from error
        except smtplib.SMTPAuthenticationError as error:  # the site's setting, not the message
            raise SendFailed(f"SMTP {error.smtp_code}", permanent=False) from error
        except smtplib.SMTPResponseException as error:
            raise SendFailed(
                f"SMTP {error.smtp_code}", permanent=_is_final(error.smtp_code)
            ) from error
        except (smtplib.SMTPException, OSError) as error:
            raise SendFailed(type(error).__name__, permanent=False) from error


def _is_final(code: int) -> bool:
    """Say whether an SMTP reply code is a final no (5yz, RFC 5321 §4.2.1)."""
    return 500 <= code < 600
