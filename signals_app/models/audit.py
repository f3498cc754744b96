"""Every change that somebody made, through whichever door."""

from django.db import models
from django.db.models.functions import Now

from signals_app.actor import Door
from signals_app.models import fields


class AuditEntry(models.Model):
    """One change. The database refuses to change or remove a row; nothing here is a secret.

    `before` and `after` hold the columns that changed: only `after` where a row was made, only
    `before` where it was removed, neither where nothing stored changed.
    """

    at = models.DateTimeField("time", db_default=Now(), editable=False)
    door = fields.kind(Door, max_length=10)
    who = models.CharField(max_length=150, help_text="user, API key or account of the machine")
    key = models.CharField("API key", max_length=16, blank=True, help_text="the key's id")
    address = models.GenericIPAddressField(null=True, blank=True)
    via = models.CharField(max_length=200, blank=True, help_text="what was called")
    action = models.CharField(max_length=60)
    subject_type = models.CharField("kind", max_length=60, blank=True)
    subject = models.CharField(max_length=200, blank=True)
    before = models.JSONField(null=True, blank=True)
    after = models.JSONField(null=True, blank=True)

    class Meta:
        db_table = "audit_entries"
        verbose_name_plural = "audit entries"
        ordering = ("-pk",)
        indexes = (
            models.Index(fields=("at",), name="audit_entry_time"),
            models.Index(fields=("subject_type", "subject"), name="audit_entry_subject"),
            models.Index(fields=("who",), name="audit_entry_who"),
        )

    def __str__(self) -> str:
        return f"{self.who} {self.action} {self.subject_type} {self.subject}"
