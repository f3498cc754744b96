"""Who may send ticks, and what they reported."""

from django.db import models
from django.db.models.functions import Now

from signals_app.connector_codes import ConnectorEventCode
from signals_app.models import fields


class Connector(models.Model):
    """One MT5 connector and the symbols that its tokens may carry."""

    name = models.CharField(max_length=64, primary_key=True)
    symbols = models.JSONField(default=list, help_text='list of symbols, e.g. ["XAUUSD"]')
    is_revoked = models.BooleanField(default=False, help_text="cut off within five seconds")
    last_seen = models.DateTimeField(null=True, blank=True)
    roles = models.JSONField(default=dict, help_text="active or standby, by symbol")
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        db_table = "connectors"

    def __str__(self) -> str:
        return self.name

    @property
    def is_simulated(self) -> bool:
        """Whether its ticks are made up; such a connector says so in its name."""
        return self.name.endswith("-simulated")


class ConnectorEvent(models.Model):
    """Something a connector reported, or that happened to it."""

    connector = models.CharField(max_length=64)
    code = fields.kind(ConnectorEventCode, max_length=40)
    instrument = fields.symbol(blank=True)
    message = models.TextField(blank=True)
    happened_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        db_table = "connector_events"
        ordering = ("-happened_at",)
        indexes = (models.Index(fields=("-happened_at",), name="connector_event_newest"),)

    def __str__(self) -> str:
        return f"{self.connector} {self.code}"
