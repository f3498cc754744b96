"""The WSGI application: admin, API and pages."""

import os

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "goldtrader.settings")
if not settings.HAS_SECRET_KEY:
    # Each process would make one of its own and refuse the sessions of the others.
    raise ImproperlyConfigured(
        "SECRET_KEY is not set: give the web server 50 or more random characters in it."
    )
application = get_wsgi_application()
