from django.http import HttpResponse
from django.utils.http import content_disposition_header

from madoguchi.intake.models import Attachment


def file_response(attachment: Attachment) -> HttpResponse:
    """Give a file to be kept, never to be run or drawn in the page's own name."""
    response = HttpResponse(bytes(attachment.content), content_type=attachment.media_type)
    response["Content-Disposition"] = content_disposition_header(True, attachment.name) or ""
    response["X-Content-Type-Options"] = "nosniff"
    return response
