"""Signals as a Django app."""

from django.apps import AppConfig


class SignalsConfig(AppConfig):
    """Names the app for the admin, and its rows for the audit."""

    name = "signals_app"
    verbose_name = "Market and signals"

    def ready(self) -> None:
        """Have the audit follow the rows that people edit."""
        from signals_app.models import Connector, Instrument, Strategy
        from signals_app.services.audited_rows import follow

        follow(Instrument)
        follow(Connector, except_for=("last_seen", "roles"))
        follow(Strategy, name_of=str)
