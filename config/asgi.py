"""HTTP and live updates in one ASGI application."""

import os

from django.core.asgi import get_asgi_application
from django.core.management.base import BaseCommand

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
application = get_asgi_application()
BaseCommand().check()  # whatever server runs this: it refuses to serve an unsafe database
