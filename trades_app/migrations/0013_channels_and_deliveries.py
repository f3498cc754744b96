"""Messages go to channels, each delivery a row of its own; errors hold no bot tokens."""

import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models


# Messages that were sent or refused before had one chat; they are given to no other now. An error
# from before may hold the bot's token.
_BEFORE = r"""
UPDATE outbox SET happened_at = created_at,
    routed_at = CASE WHEN status IN ('SENT', 'FAILED') THEN created_at END,
    status = CASE WHEN status = 'SENDING' THEN 'WAITING' ELSE status END,
    error = regexp_replace(error, '[0-9]{3,}:[A-Za-z0-9_-]{3,}`', '<bot token>`', 'g')
"""


class Migration(migrations.Migration):

    dependencies = [
        ('signals_app', '0024_audit'),
        ('trades_app', '0012_trades_keep_their_rate'),
    ]

    operations = [
        migrations.CreateModel(
            name='CallWindow',
            fields=[
                ('key', models.CharField(max_length=64, primary_key=True, serialize=False)),
                ('calls', django.contrib.postgres.fields.ArrayField(base_field=models.FloatField(), default=list, size=None)),
                ('halted_until', models.FloatField(default=0, help_text="Unix seconds: Telegram's retry_after")),
            ],
            options={
                'db_table': 'telegram_calls',
            },
        ),
        migrations.CreateModel(
            name='Channel',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('chat', models.CharField(help_text='@name, t.me link or numeric id', max_length=64)),
                ('topic_id', models.PositiveBigIntegerField(blank=True, help_text='of a forum; empty: none', null=True)),
                ('audience', models.CharField(choices=[('FOLLOWERS', 'followers'), ('OPERATORS', 'operators: alerts'), ('MIRROR', 'mirror: a copy for followers; its troubles fail no message')], default='FOLLOWERS', max_length=10)),
                ('origin', models.CharField(choices=[('ADMIN', 'here'), ('INSTRUMENT', "the instrument's row"), ('ENVIRONMENT', 'OPERATOR_TELEGRAM_CHANNEL')], default='ADMIN', editable=False, max_length=12)),
                ('signals', models.CharField(choices=[('NOT', 'not sent'), ('SILENT', 'without sound'), ('DAYTIME', 'with sound, outside quiet hours'), ('LOUD', 'always with sound')], default='DAYTIME', max_length=8)),
                ('trades', models.CharField(choices=[('NOT', 'not sent'), ('SILENT', 'without sound'), ('DAYTIME', 'with sound, outside quiet hours'), ('LOUD', 'always with sound')], default='DAYTIME', max_length=8)),
                ('reports', models.CharField(choices=[('NOT', 'not sent'), ('SILENT', 'without sound'), ('DAYTIME', 'with sound, outside quiet hours'), ('LOUD', 'always with sound')], default='SILENT', max_length=8)),
                ('alerts', models.CharField(choices=[('NOT', 'not sent'), ('SILENT', 'without sound'), ('DAYTIME', 'with sound, outside quiet hours'), ('LOUD', 'always with sound')], default='LOUD', max_length=8)),
                ('edits_cards', models.BooleanField(default=True, help_text='signals are edited as their trades go on', verbose_name='live cards')),
                ('numbers', models.CharField(choices=[('EN', '1,234.50'), ('DE', '1.234,50'), ('FR', '1\u202f234,50'), ('CH', '1’234.50')], default='EN', max_length=2)),
                ('quiet_from', models.TimeField(blank=True, null=True)),
                ('quiet_until', models.TimeField(blank=True, null=True)),
                ('timezone', models.CharField(default='UTC', help_text='of the quiet hours, such as Europe/London', max_length=40)),
                ('sends_simulated', models.BooleanField(default=False, help_text='also signals whose prices are made up', verbose_name='simulated feeds')),
                ('is_active', models.BooleanField(default=True)),
                ('access', models.CharField(choices=[('UNCHECKED', 'not checked yet'), ('OPEN', 'open'), ('PARKED', 'parked: needs an operator')], default='UNCHECKED', editable=False, max_length=9)),
                ('problem', models.TextField(blank=True, editable=False)),
                ('migrated_to', models.CharField(blank=True, editable=False, max_length=64)),
                ('chat_id', models.BigIntegerField(editable=False, help_text='as Telegram says', null=True)),
                ('title', models.CharField(blank=True, editable=False, max_length=255)),
                ('checked_at', models.DateTimeField(editable=False, null=True)),
                ('opened_at', models.DateTimeField(editable=False, help_text='from when on there was a bot to write to it', null=True)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('lease', models.PositiveBigIntegerField(default=0, editable=False)),
                ('leased_until', models.DateTimeField(editable=False, null=True)),
                ('not_before', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('failures', models.PositiveSmallIntegerField(default=0, editable=False)),
                ('progress_edited_at', models.DateTimeField(editable=False, null=True)),
            ],
            options={
                'db_table': 'channels',
                'ordering': ('audience', 'chat', 'topic_id'),
            },
        ),
        migrations.CreateModel(
            name='ChannelDelivery',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('status', models.CharField(choices=[('WAITING', 'Waiting'), ('SENDING', 'Sending'), ('SENT', 'Sent'), ('FAILED', 'Failed'), ('SKIPPED', 'Skipped'), ('UNCONFIRMED', 'Unconfirmed')], default='WAITING', max_length=11)),
                ('is_forced', models.BooleanField(default=False, help_text='an operator said: send anyway')),
                ('attempts', models.PositiveIntegerField(default=0)),
                ('copies', models.PositiveSmallIntegerField(default=0)),
                ('claimed_at', models.DateTimeField(blank=True, null=True)),
                ('sent_at', models.DateTimeField(blank=True, null=True)),
                ('telegram_message_id', models.BigIntegerField(blank=True, null=True)),
                ('has_picture', models.BooleanField(default=False)),
                ('error', models.TextField(blank=True)),
                ('card', models.CharField(choices=[('NONE', 'None'), ('LIVE', 'Live'), ('FINAL', 'Final'), ('GONE', 'Gone')], default='NONE', max_length=5)),
                ('card_digest', models.CharField(blank=True, max_length=64)),
                ('card_edited_at', models.DateTimeField(blank=True, null=True)),
            ],
            options={
                'db_table': 'deliveries',
                'ordering': ('message', 'channel'),
            },
        ),
        migrations.CreateModel(
            name='TelegramBot',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('token', models.TextField(blank=True, editable=False, help_text='encrypted')),
                ('fingerprint', models.CharField(blank=True, editable=False, max_length=16)),
                ('problem', models.TextField(blank=True, editable=False)),
                ('not_before', models.DateTimeField(editable=False, null=True)),
                ('changed_at', models.DateTimeField(auto_now=True)),
            ],
            options={
                'db_table': 'telegram_bot',
            },
        ),
        migrations.AddField(
            model_name='message',
            name='happened_at',
            field=models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False, help_text="of the event, by the market's clock"),
        ),
        migrations.AddField(
            model_name='message',
            name='routed_at',
            field=models.DateTimeField(editable=False, help_text='when it was given to its channels', null=True),
        ),
        migrations.AlterField(
            model_name='message',
            name='status',
            field=models.CharField(choices=[('WAITING', 'Waiting'), ('SENDING', 'Sending'), ('SENT', 'Sent'), ('FAILED', 'Failed'), ('SKIPPED', 'Skipped')], default='WAITING', max_length=8),
        ),
        migrations.AddIndex(
            model_name='message',
            index=models.Index(condition=models.Q(('routed_at', None), ('status', 'WAITING')), fields=['id'], name='message_unrouted'),
        ),
        migrations.AddField(
            model_name='channel',
            name='instruments',
            field=models.ManyToManyField(blank=True, help_text='none chosen: all', to='signals_app.instrument'),
        ),
        migrations.AddField(
            model_name='channeldelivery',
            name='channel',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='deliveries', to='trades_app.channel'),
        ),
        migrations.AddField(
            model_name='channeldelivery',
            name='message',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='deliveries', to='trades_app.message'),
        ),
        migrations.AddConstraint(
            model_name='telegrambot',
            constraint=models.CheckConstraint(condition=models.Q(('pk', 1)), name='one_telegram_bot'),
        ),
        migrations.AddConstraint(
            model_name='channel',
            constraint=models.UniqueConstraint(fields=('chat', 'topic_id'), name='one_channel_per_chat_and_topic', nulls_distinct=False, violation_error_message='There is a channel of this chat and topic.'),
        ),
        migrations.AddIndex(
            model_name='channeldelivery',
            index=models.Index(condition=models.Q(('status__in', ('WAITING', 'SENDING'))), fields=['channel', 'message'], name='delivery_unsent'),
        ),
        migrations.AddIndex(
            model_name='channeldelivery',
            index=models.Index(condition=models.Q(('card', 'LIVE')), fields=['channel'], name='delivery_live_card'),
        ),
        migrations.AddConstraint(
            model_name='channeldelivery',
            constraint=models.UniqueConstraint(fields=('message', 'channel'), name='one_delivery_per_message_and_channel'),
        ),
        migrations.RunSQL(_BEFORE, migrations.RunSQL.noop),
    ]
