"""Trades as a Django app."""

from django.apps import AppConfig


class TradesConfig(AppConfig):
    """Joins the trades to the pipeline."""

    name = "trades_app"
    verbose_name = "Trades and messages"

    def ready(self) -> None:
        """Give the pipeline its trade book."""
        from signals_app.pipeline import ports
        from trades_app.book import LiveBook

        ports.register(LiveBook())
