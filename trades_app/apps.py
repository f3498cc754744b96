"""Trades as a Django app."""

from django.apps import AppConfig


class TradesConfig(AppConfig):
    """Joins the trades to the pipeline, and the outbox to the task that sends."""

    name = "trades_app"
    verbose_name = "Trades and messages"

    def ready(self) -> None:
        """Give the pipeline its trade book, and the outbox what starts a delivery."""
        from signals_app.pipeline import ports
        from signals_app.services.audited_rows import follow
        from trades_app.book import LiveBook
        from trades_app.models import Channel
        from trades_app.notifications import outbox
        from trades_app.tasks import deliver

        ports.register(LiveBook())
        outbox.deliver_by(deliver.delay)
        follow(Channel, except_for=Channel.WRITTEN_BY_DELIVERY, name_of=str)
