"""The project as a Django app, for its commands."""

from django.apps import AppConfig


class GoldtraderConfig(AppConfig):
    """Holds the stack's and the API's commands."""

    name = "goldtrader"

    def ready(self) -> None:
        """Time the queries of this process, and let its commands open a stack's database."""
        from goldtrader.operations import metrics
        from goldtrader.stack import use
        from signals_app.management import database

        metrics.time_queries()
        database.register(use.open_database_of)
