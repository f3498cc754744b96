"""An operator at the admin's lists."""

from django.test import Client
from django.urls import reverse


def act(client: Client, page: str, action: str, *keys: object) -> list[str]:
    """Return what the page says after an action on these rows."""
    address = reverse(f"admin:{page}_changelist")
    done = client.post(address, {"action": action, "_selected_action": keys}, follow=True)
    return [str(message) for message in done.context["messages"]]
