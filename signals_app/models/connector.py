"""Who may send ticks, and what they reported."""

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models.functions import Now

from signals_app.connector_codes import ConnectorEventCode
from signals_app.connector_names import CONNECTOR_NAME, LONGEST_NAME, NAME_RULE
from signals_app.market.symbols import is_list_of_symbols, symbols_in
from signals_app.models import fields


class Connector(models.Model):
    """One MT5 connector and the symbols that its tokens may carry."""

    name = models.CharField(max_length=64, primary_key=True)
    symbols = models.JSONField(
        default=list, help_text='what it may send, whatever its token says, e.g. ["XAUUSD"]'
    )
    owner = models.CharField(
        max_length=LONGEST_NAME,
        blank=True,
        help_text="name of the API key that gets its tokens, beside a key of the connector's name",
    )
    is_revoked = models.BooleanField(default=False, help_text="cut off within five seconds")
    tokens_from = models.DateTimeField(
        null=True, blank=True, help_text="tokens made before this time are good for nothing"
    )
    last_seen = models.DateTimeField(null=True, blank=True)
    roles = models.JSONField(default=dict, help_text="active or standby, by symbol")
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        db_table = "connectors"
        permissions = (("revoke_connector", "Can cut off connectors"),)

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Refuse a name or symbols that no token could carry."""
        if self._state.adding and not CONNECTOR_NAME.fullmatch(self.name):
            raise ValidationError({"name": f"This is no connector's name: {NAME_RULE}."})
        if not is_list_of_symbols(self.symbols):
            raise ValidationError({"symbols": 'Give a list of symbols, such as ["XAUUSD"].'})

    @property
    def may_send(self) -> frozenset[str]:
        """The symbols that it may send, whatever its tokens say."""
        return symbols_in(self.symbols)

    def belongs_to(self, key_name: str) -> bool:
        """Whether a key of this name gets the connector's tokens."""
        return key_name in (self.name, self.owner)

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
    times = models.PositiveIntegerField(default=1, help_text="how often it was reported in a row")
    last_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        db_table = "connector_events"
        ordering = ("-happened_at",)
        indexes = (models.Index(fields=("-happened_at",), name="connector_event_newest"),)

    def __str__(self) -> str:
        return f"{self.connector} {self.code}"
