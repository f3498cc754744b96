"""Signals as a Django app."""

from django.apps import AppConfig


class SignalsConfig(AppConfig):
    """Names the app for the admin."""

    name = "signals_app"
    verbose_name = "Market and signals"
