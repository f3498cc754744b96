"""Sealed days are counted, and what they stand on is covered; published digests are kept apart."""

import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('reports_app', '0002_weeks_months_groups_and_the_record'),
    ]

    operations = [
        migrations.CreateModel(
            name='RecordPublication',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('instrument', models.CharField(max_length=20)),
                ('key', models.CharField(help_text="the report's in the outbox", max_length=80, unique=True)),
                ('digest', models.CharField(max_length=64)),
                ('published_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
            ],
            options={
                'db_table': 'record_publications',
            },
        ),
        migrations.CreateModel(
            name='RecordSeal',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('instrument', models.CharField(max_length=20)),
                ('number', models.PositiveIntegerField()),
                ('date', models.DateField()),
                ('day_digest', models.CharField(max_length=64)),
                ('covered', models.JSONField()),
                ('previous', models.CharField(blank=True, max_length=64)),
                ('link', models.CharField(max_length=64)),
                ('sealed_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
            ],
            options={
                'db_table': 'record_seals',
                'constraints': [models.UniqueConstraint(fields=('instrument', 'number'), name='one_seal_per_number')],
            },
        ),
    ]
