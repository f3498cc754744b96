"""Pages that superusers alone may open."""

import pytest
from django.contrib.auth.models import AnonymousUser, User
from django.test import RequestFactory

from goldtrader.admin_site.superusers import SuperusersAlone


@pytest.mark.parametrize(
    ("user", "may"),
    [
        (User(is_superuser=True), True),
        (User(is_superuser=True, is_active=False), False),
        (User(is_staff=True), False),
        (AnonymousUser(), False),
    ],
)
def test_only_an_active_superuser_may_do_anything(
    rf: RequestFactory, user: User | AnonymousUser, may: bool
) -> None:
    request, page = rf.get("/"), SuperusersAlone()
    request.user = user

    assert page.has_module_permission(request) is may
    assert page.has_view_permission(request) is may
    assert page.has_add_permission(request) is may
    assert page.has_change_permission(request) is may
    assert page.has_delete_permission(request) is may
