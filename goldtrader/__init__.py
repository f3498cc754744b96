"""What composes the apps: settings, Celery, URLs and the embedded stack. Nobody imports it."""

from goldtrader.celery import app as celery_app

__all__ = ("celery_app",)
