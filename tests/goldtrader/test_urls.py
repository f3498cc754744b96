"""Where addresses lead."""

import pytest
from django.test import Client

pytestmark = pytest.mark.django_db


def test_the_root_leads_to_the_admin(client: Client) -> None:
    assert client.get("/").headers["Location"] == "/admin/"
