"""Trades as a Django app."""

from django.apps import AppConfig


class TradesConfig(AppConfig):
    """Names the app for the admin."""

    name = "trades_app"
    verbose_name = "Trades and messages"
