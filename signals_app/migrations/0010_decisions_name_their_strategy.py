"""Each decision names the version that made it, which then stays as it is, and its reason."""

import django.db.models.deletion
from django.db import migrations, models

KEEP = """
CREATE OR REPLACE FUNCTION keep_used_strategy() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.name, NEW.version, NEW.parameters) IS DISTINCT FROM
       (OLD.name, OLD.version, OLD.parameters)
       AND (EXISTS (SELECT 1 FROM decisions WHERE strategy_id = OLD.id)
            OR EXISTS (SELECT 1 FROM signals WHERE strategy_id = OLD.id))
    THEN
        RAISE EXCEPTION '% v% has decided and stays as it is; a change is a new version.',
            OLD.name, OLD.version USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END
$$;
"""
BEFORE = """
CREATE OR REPLACE FUNCTION keep_used_strategy() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.name, NEW.version, NEW.parameters) IS DISTINCT FROM
       (OLD.name, OLD.version, OLD.parameters)
       AND EXISTS (SELECT 1 FROM signals WHERE strategy_id = OLD.id)
    THEN
        RAISE EXCEPTION '% v% has made signals and stays as it is; a change is a new version.',
            OLD.name, OLD.version USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END
$$;
"""


def give_reasons(apps, schema_editor):
    decisions = apps.get_model("signals_app", "Decision").objects
    decisions.filter(outcome="BELOW", reason="").update(reason="BELOW_THRESHOLD")


class Migration(migrations.Migration):

    dependencies = [
        ("signals_app", "0009_instruments_that_can_be_reckoned_with"),
    ]

    operations = [
        migrations.RunPython(give_reasons, migrations.RunPython.noop),
        migrations.AddField(
            model_name="decision",
            name="strategy",
            field=models.ForeignKey(help_text="the version that decided; null before that, and for what is older than this", null=True, on_delete=django.db.models.deletion.PROTECT, related_name="decisions", to="signals_app.strategy"),
        ),
        migrations.AddIndex(
            model_name="decision",
            index=models.Index(fields=["-close_time_ms", "-id"], name="decision_newest"),
        ),
        migrations.RunSQL(KEEP, BEFORE),
    ]
