"""The audit, whose rows the database keeps as they were written."""

import django.db.models.functions.datetime
from django.db import migrations, models


KEEP = """
CREATE FUNCTION keep_audit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'The audit is only ever added to: its rows are not changed or removed.'
        USING ERRCODE = 'check_violation';
END
$$;
CREATE TRIGGER keep_audit_entries BEFORE UPDATE OR DELETE ON audit_entries
    FOR EACH ROW EXECUTE FUNCTION keep_audit();
CREATE TRIGGER keep_audit_whole BEFORE TRUNCATE ON audit_entries
    FOR EACH STATEMENT EXECUTE FUNCTION keep_audit();
"""
FORGET = """
DROP TRIGGER keep_audit_whole ON audit_entries;
DROP TRIGGER keep_audit_entries ON audit_entries;
DROP FUNCTION keep_audit();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("signals_app", "0023_instruments_have_swaps_and_spreads_of_their_own"),
    ]

    operations = [
        migrations.CreateModel(
            name="AuditEntry",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        editable=False,
                        verbose_name="time",
                    ),
                ),
                (
                    "door",
                    models.CharField(
                        choices=[
                            ("admin", "admin"),
                            ("api", "api"),
                            ("command", "command"),
                            ("bot", "bot"),
                            ("system", "system"),
                        ],
                        max_length=10,
                    ),
                ),
                (
                    "who",
                    models.CharField(
                        help_text="user, API key or account of the machine", max_length=150
                    ),
                ),
                (
                    "key",
                    models.CharField(
                        blank=True, help_text="the key's id", max_length=16, verbose_name="API key"
                    ),
                ),
                ("address", models.GenericIPAddressField(blank=True, null=True)),
                ("via", models.CharField(blank=True, help_text="what was called", max_length=200)),
                ("action", models.CharField(max_length=60)),
                ("subject_type", models.CharField(blank=True, max_length=60, verbose_name="kind")),
                ("subject", models.CharField(blank=True, max_length=200)),
                ("before", models.JSONField(blank=True, null=True)),
                ("after", models.JSONField(blank=True, null=True)),
            ],
            options={
                "verbose_name_plural": "audit entries",
                "db_table": "audit_entries",
                "ordering": ("-pk",),
                "indexes": [
                    models.Index(fields=["at"], name="audit_entry_time"),
                    models.Index(fields=["subject_type", "subject"], name="audit_entry_subject"),
                    models.Index(fields=["who"], name="audit_entry_who"),
                ],
            },
        ),
        migrations.RunSQL(KEEP, FORGET),
    ]
