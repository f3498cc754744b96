"""The project as a Django app: its commands and the API keys."""

from django.apps import AppConfig


class GoldtraderConfig(AppConfig):
    """Wires the project up once all apps are loaded."""

    name = "goldtrader"

    def ready(self) -> None:
        """Prepare this process's metrics, and let its commands open a stack's database."""
        from goldtrader.operations import instrumentation, metrics
        from goldtrader.stack import use
        from signals_app.management import database

        instrumentation.time_queries()
        metrics.begin_at_zero()
        database.register(use.open_database_of)
