"""A connector's key has the connector's name, whatever its length."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('goldtrader', '0002_connectors_belong_to_the_keys_that_made_them'),
    ]

    operations = [
        migrations.AlterField(
            model_name='apikey',
            name='name',
            field=models.CharField(help_text="whose key it is; a connector's key has its name", max_length=64),
        ),
    ]
