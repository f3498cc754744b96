"""Reports as a Django app."""

from django.apps import AppConfig


class ReportsConfig(AppConfig):
    """Names the app for the admin."""

    name = "reports_app"
    verbose_name = "Reports"
