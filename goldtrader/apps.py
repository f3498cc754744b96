"""The project as a Django app: its commands and the API keys."""

from django.apps import AppConfig


class GoldtraderConfig(AppConfig):
    """Wires the project up once all apps are loaded."""

    name = "goldtrader"

    def ready(self) -> None:
        """Prepare this process's metrics, and say how databases are opened and keys are read."""
        from goldtrader.access.keys import read_keys
        from goldtrader.operations import instrumentation, metrics
        from goldtrader.stack import use
        from signals_app.management import database
        from signals_app.services import api_keys

        instrumentation.time_queries()
        metrics.begin_at_zero()
        database.register(use.open_database_of)
        api_keys.register(read_keys)
