"""Messages by LINE's Messaging API, with the official kit."""

from django.conf import settings

from madoguchi.messaging.ports import Envelope, SendFailed

FINAL = frozenset({400, 401, 403, 404})


class LineSender:
    """
    Push one text. The key goes along as X-Line-Retry-Key: LINE delivers it once, however often
    it is sent, and answers 409 to the second time.
    """

    def send(self, envelope: Envelope) -> None:
        if not settings.LINE_CHANNEL_TOKEN:
            raise SendFailed("LINE not set", permanent=True)
        # Half a second and a dozen packages: only where LINE is used.
        from linebot.v3 import messaging as line
        from linebot.v3.messaging.exceptions import ApiException

        where = line.Configuration(
            access_token=settings.LINE_CHANNEL_TOKEN, host=settings.LINE_API_HOST
        )
        message = line.PushMessageRequest(
            to=envelope.to, messages=[line.TextMessage(text=envelope.body)]
        )
        try:
            with line.ApiClient(where) as client:
                line.MessagingApi(client).push_message(
                    message, x_line_retry_key=str(envelope.key), _request_timeout=20
                )
        except ApiException as error:
            if error.status == 409:
                return
            raise SendFailed(f"LINE {error.status}", permanent=error.status in FINAL) from error
        except Exception as error:  # the kit lets the errors of its HTTP library through
            raise SendFailed(type(error).__name__, permanent=False) from error
