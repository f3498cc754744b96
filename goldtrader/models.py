"""The keys of the API."""

from typing import Any

from django.core.exceptions import ValidationError
from django.db import models, transaction
from rest_framework_api_key.models import AbstractAPIKey

from signals_app.connector_names import LONGEST_NAME
from signals_app.market.symbols import is_list_of_symbols, symbols_in
from signals_app.services.api_keys import KeyRights


class ApiKey(AbstractAPIKey):
    """One caller of the API. Only a hash is kept: the key itself is shown once, when it is made."""

    class Scope(models.TextChoices):
        """What the key may do."""

        READ = "read", "read"
        ADMIN = "admin", "read and change"
        CONNECTOR = "connector", "get tokens for its connector"

    name = models.CharField(
        max_length=LONGEST_NAME, help_text="whose key it is; a connector's key has its name"
    )
    scope = models.CharField(max_length=9, choices=Scope.choices, default=Scope.READ)
    symbols = models.JSONField(
        default=list,
        blank=True,
        help_text='connector keys: what its tokens may carry, e.g. ["XAUUSD"]',
    )

    class Meta(AbstractAPIKey.Meta):
        db_table = "api_keys"
        verbose_name = "API key"

    def save(self, *args: Any, **options: Any) -> None:
        """Save the key and what the audit says of it, both or neither."""
        with transaction.atomic():
            super().save(*args, **options)

    def clean(self) -> None:
        """Refuse symbols that no token could carry, and a connector's key without any."""
        super().clean()
        if self.symbols is None:  # an empty field
            self.symbols = []
        is_connectors = self.scope == self.Scope.CONNECTOR
        if not is_list_of_symbols(self.symbols) or (is_connectors and not self.symbols):
            raise ValidationError({"symbols": 'Give a list of symbols, such as ["XAUUSD"].'})

    @property
    def rights(self) -> KeyRights:
        """What the key may get tokens for."""
        if self.scope == self.Scope.ADMIN:
            return KeyRights(self.name, None)
        symbols = self.symbols if self.scope == self.Scope.CONNECTOR else ()
        return KeyRights(self.name, symbols_in(symbols))

    def __str__(self) -> str:
        return f"{self.name} ({self.scope})"
