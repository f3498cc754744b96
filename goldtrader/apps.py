"""The project as a Django app, for its commands."""

from django.apps import AppConfig


class GoldtraderConfig(AppConfig):
    """Holds the stack's and the API's commands."""

    name = "goldtrader"

    def ready(self) -> None:
        """Time the queries of this process."""
        from goldtrader.operations import metrics

        metrics.time_queries()
