"""Messages hold what happened instead of a finished text, and whose channel they go to."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("trades_app", "0004_trades_are_closed_by_order_at_the_next_tick")]

    operations = [
        migrations.AddField(
            model_name="message",
            name="addressee",
            field=models.CharField(
                choices=[("FOLLOWERS", "Followers"), ("OPERATORS", "Operators")],
                default="FOLLOWERS",
                max_length=10,
            ),
        ),
        migrations.AddField(
            model_name="message",
            name="data",
            field=models.JSONField(default=dict, help_text="what happened, with its figures"),
        ),
        migrations.AddField(
            model_name="message",
            name="digest",
            field=models.CharField(
                blank=True, help_text="the record's, as a report publishes it", max_length=64
            ),
        ),
        migrations.AlterField(
            model_name="message",
            name="kind",
            field=models.CharField(
                choices=[
                    ("SIGNAL", "Signal"),
                    ("TRADE", "Trade"),
                    ("REPORT", "Report"),
                    ("ALERT", "Alert"),
                ],
                max_length=20,
            ),
        ),
        migrations.AlterField(
            model_name="message",
            name="text",
            field=models.TextField(
                blank=True,
                help_text="only of messages from before they held data: sent as it is",
            ),
        ),
    ]
