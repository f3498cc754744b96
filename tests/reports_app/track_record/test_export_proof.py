"""An export is proved without a database, and a forged one refused."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from reports_app.models import RecordDay
from reports_app.track_record.export import track_record_as_json
from reports_app.track_record.export_proof import verify_export
from reports_app.track_record.proof import Proof, Published, verify
from reports_app.track_record.violation import Violation
from tests.reports_app.track_record.records import (
    FRIDAY,
)

pytestmark = pytest.mark.django_db


def exported() -> dict[str, Any]:
    """The track record as a program reads it."""
    content: dict[str, Any] = json.loads(json.dumps(track_record_as_json()))
    return content


def test_an_export_proves_what_the_database_does_but_its_seals(record: None) -> None:
    (proof,) = verify()

    assert verify_export(exported(), [Published(FRIDAY, RecordDay.objects.get().digest)]) == [
        Proof(proof.instrument, proof.days, sealed=None)
    ]


def test_the_newest_signal_may_still_wait_for_its_trade(record: None) -> None:
    content = exported()
    content["trades"].pop()

    assert verify_export(content)[0].signals == 3


@pytest.mark.parametrize(
    ("forge", "says"),
    [
        pytest.param(
            lambda content: content["signals"][0].update(stop_loss=2030.0),
            "The trade of XAU_20240105_001 says initial_stop_loss 2040.0, its events say 2030.0",
            id="another stop",
        ),
        pytest.param(
            lambda content: content["trades"][0].update(profit_loss=5000.0),
            "The trade of XAU_20240105_001 says profit_loss 5000.0, its events say -325.0",
            id="another result",
        ),
        pytest.param(
            lambda content: (content["signals"].pop(0), content["trades"].pop(0)),
            "is no digest of this record",
            id="a loss left out",
        ),
        pytest.param(
            lambda content: content["trades"].pop(0),
            r"The trade of XAU_20240105_001 was removed\.",
            id="a trade left out",
        ),
        pytest.param(
            lambda content: content["signals"].pop(0),
            "A trade has no signal of its own",
            id="a signal left out",
        ),
        pytest.param(
            lambda content: content["trades"][0]["events"].pop(2),
            "The events of XAU_20240105_001 are no trade's life",
            id="an event left out",
        ),
        pytest.param(
            lambda content: content.pop("signals"),
            "This is no export of signals and trades",
            id="another file",
        ),
    ],
)
def test_a_forged_export_is_refused(
    record: None, forge: Callable[[dict[str, Any]], object], says: str
) -> None:
    content = exported()
    forge(content)

    with pytest.raises(Violation, match=says):
        verify_export(content, [Published(FRIDAY, RecordDay.objects.get().digest)])
