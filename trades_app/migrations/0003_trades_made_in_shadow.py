"""Trades made in shadow; a strategy that ran there keeps its parameters as a live one does."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

KEEP = """
CREATE FUNCTION keep_shadow_strategy() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.name, NEW.version, NEW.parameters) IS DISTINCT FROM
       (OLD.name, OLD.version, OLD.parameters)
       AND EXISTS (SELECT 1 FROM shadow_positions WHERE strategy_id = OLD.id)
    THEN
        RAISE EXCEPTION '% v% has run in shadow and stays as it is; a change is a new version.',
            OLD.name, OLD.version USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER keep_shadow_strategy BEFORE UPDATE ON strategies
    FOR EACH ROW EXECUTE FUNCTION keep_shadow_strategy();
"""
FORGET = """
DROP TRIGGER keep_shadow_strategy ON strategies;
DROP FUNCTION keep_shadow_strategy();
"""


class Migration(migrations.Migration):

    dependencies = [
        ('signals_app', '0006_strategies_may_run_in_shadow'),
        ('trades_app', '0002_events_are_linked_and_say_if_found_late'),
    ]

    operations = [
        migrations.CreateModel(
            name='ShadowPosition',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('symbol', models.CharField(max_length=20)),
                ('began_ms', models.BigIntegerField(help_text='the last close before it began')),
                ('close_time_ms', models.BigIntegerField(help_text='the last close followed')),
                ('skipped', models.JSONField(default=dict)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('strategy', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='shadow_positions', to='signals_app.strategy')),
            ],
            options={
                'db_table': 'shadow_positions',
                'constraints': [models.UniqueConstraint(fields=('strategy', 'symbol'), name='one_shadow_position')],
            },
        ),
        migrations.CreateModel(
            name='ShadowTrade',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('symbol', models.CharField(max_length=20)),
                ('close_time_ms', models.BigIntegerField(help_text='the close that it was decided on')),
                ('signal', models.JSONField()),
                ('trade', models.JSONField()),
                ('events', models.JSONField(default=list)),
                ('is_open', models.BooleanField()),
                ('entry_ordinal', models.BigIntegerField(help_text='the tick that it was entered at')),
                ('exit_ordinal', models.BigIntegerField(blank=True, null=True)),
                ('exit_time_ms', models.BigIntegerField(blank=True, null=True)),
                ('profit_loss', models.DecimalField(decimal_places=2, help_text='realised so far, net of costs', max_digits=14)),
                ('r_multiple', models.DecimalField(blank=True, decimal_places=2, max_digits=14, null=True)),
                ('failure', models.CharField(blank=True, help_text='why it is followed no further; it counts nowhere', max_length=200)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('strategy', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='shadow_trades', to='signals_app.strategy')),
            ],
            options={
                'db_table': 'shadow_trades',
                'indexes': [models.Index(condition=models.Q(('is_open', True)), fields=['symbol'], name='shadow_trade_open')],
                'constraints': [models.UniqueConstraint(fields=('strategy', 'symbol', 'close_time_ms'), name='one_shadow_trade_per_close')],
            },
        ),
        migrations.RunSQL(KEEP, FORGET),
    ]
