"""Connectors say whose they are, and since when tokens count."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("signals_app", "0021_prices_of_any_size")]

    operations = [
        migrations.AddField(
            model_name="connector",
            name="owner",
            field=models.CharField(
                blank=True,
                default="",
                help_text="name of the API key that gets its tokens, beside a key of the connector's name",
                max_length=50,
            ),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="connector",
            name="tokens_from",
            field=models.DateTimeField(
                blank=True,
                help_text="tokens made before this time are good for nothing",
                null=True,
            ),
        ),
        migrations.AlterField(
            model_name="connector",
            name="symbols",
            field=models.JSONField(
                default=list,
                help_text='what it may send, whatever its token says, e.g. ["XAUUSD"]',
            ),
        ),
    ]
