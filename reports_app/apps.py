"""Reports as a Django app."""

from django.apps import AppConfig


class ReportsConfig(AppConfig):
    """Joins the reports to the outbox."""

    name = "reports_app"
    verbose_name = "Reports"

    def ready(self) -> None:
        """Name what makes a report's text."""
        from reports_app.rendering import period_report
        from trades_app.models import Message
        from trades_app.notifications import kinds

        kinds.register(Message.Kind.REPORT, period_report.text)
