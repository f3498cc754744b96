"""The admin's page of measured probabilities."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from tests.signals_app.probability.stored import MADE, RETEST, UNKNOWN, store

pytestmark = pytest.mark.django_db

LIST = "admin:signals_app_measuredprobability_changelist"


def test_an_operator_reads_scores_interval_and_both_controls(admin_client: Client) -> None:
    store(RETEST, UNKNOWN)

    page = admin_client.get(reverse(LIST)).content.decode()

    for text in ("above 0.5", "54.0% [49-59]", "50.0%", "51.0%", "not measured"):
        assert text in page


def test_the_list_is_narrowed_to_what_signals_say_now(admin_client: Client) -> None:
    store(replace(RETEST, n=4711))
    store(replace(RETEST, n=4712), made=MADE + timedelta(hours=1))

    page = admin_client.get(reverse(LIST), {"use": "now"}).content.decode()

    assert "4712" in page
    assert "4711" not in page
