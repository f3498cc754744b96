"""An owner may be called whatever a key may."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("signals_app", "0028_decisions_have_kinds_of_reasons")]

    operations = [
        migrations.AlterField(
            model_name="connector",
            name="owner",
            field=models.CharField(
                blank=True,
                help_text="name of the API key that gets its tokens, beside a key of the connector's name",
                max_length=64,
            ),
        ),
    ]
