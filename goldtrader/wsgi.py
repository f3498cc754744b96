"""The WSGI application: admin, API and pages."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "goldtrader.settings")
application = get_wsgi_application()
