"""The Django project: settings, Celery, URLs, access, operations and the embedded stack."""

from goldtrader.celery import app as celery_app

__all__ = ("celery_app",)
