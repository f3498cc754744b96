"""Versioned sets of parameters: what the score and the risk were when a signal was made."""

from typing import Any

import msgspec
from django.db import models
from django.db.models.functions import Now

from signals_app.confluence.parameters import Parameters


class NoLiveStrategy(Exception):  # noqa: N818 - it says what is missing
    """No version decides, though there are some; the text says what the operator can do."""


class StrategyQuerySet(models.QuerySet["Strategy"]):
    """Which parameters decide."""

    def live(self) -> "Strategy":
        """The strategy that decides now; made with the defaults where there is none at all.

        Raises `NoLiveStrategy` where there are only others: which of them decides is not guessed.
        """
        found = self.filter(status=Strategy.Status.LIVE).first()
        if found is None and self.exists():
            raise NoLiveStrategy("No strategy is live: make one live in the admin or by `shadow`.")
        return found or self.get_or_create(name="default", version=1)[0]

    def in_shadow(self) -> "StrategyQuerySet":
        """The strategies that run beside the live one, on paper of their own."""
        return self.filter(status=Strategy.Status.SHADOW).order_by("pk")


class Strategy(models.Model):
    """One immutable set of parameters; a change is a new version."""

    class Status(models.TextChoices):
        """Exactly one strategy is live; any number run in shadow beside it."""

        LIVE = "LIVE"
        SHADOW = "SHADOW"
        RETIRED = "RETIRED"

    name = models.CharField(max_length=40, default="default")
    version = models.PositiveIntegerField(default=1)
    parameters = models.JSONField(
        default=dict, blank=True, help_text="only what differs from the defaults"
    )
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.LIVE)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    objects = StrategyQuerySet.as_manager()

    class Meta:
        db_table = "strategies"
        verbose_name_plural = "strategies"
        constraints = (
            models.UniqueConstraint(fields=("name", "version"), name="one_row_per_version"),
            models.UniqueConstraint(
                fields=("status",), condition=models.Q(status="LIVE"), name="one_live_strategy"
            ),
        )

    def __str__(self) -> str:
        return f"{self.name} v{self.version}"

    def differences(self) -> dict[str, Any]:
        """The parameters that this version sets, by name."""
        return dict(self.parameters)

    def value(self) -> Parameters:
        """The core's value: the defaults, and what this version changes of them."""
        return msgspec.convert(self.differences(), Parameters, strict=False)
