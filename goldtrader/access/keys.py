"""The API's keys: which of them may still be used, and for what."""

from collections.abc import Collection, Mapping

from django.db.models import Q
from django.utils import timezone

from goldtrader.models import ApiKey
from signals_app.services.api_keys import KeyRights


def read_keys(key_ids: Collection[str]) -> Mapping[str, KeyRights]:
    """The rights of those of the keys that are neither revoked nor expired nor gone, by their id.

    A key that gets no tokens has no symbols.
    """
    not_expired = Q(expiry_date=None) | Q(expiry_date__gt=timezone.now())
    found = ApiKey.objects.filter(not_expired, prefix__in=key_ids, revoked=False)
    return {key.prefix: key.rights for key in found}
