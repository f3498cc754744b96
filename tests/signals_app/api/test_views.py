"""Signals, candles, connectors and the strategy over HTTP."""

from dataclasses import asdict
from datetime import datetime, timedelta
from time import time

import pytest
from pytest_django import DjangoAssertNumQueries, Settings

from goldtrader.models import ApiKey
from signals_app.api.serializers import CandleSerializer, SignalSerializer
from signals_app.confluence.limits import LIMITS
from signals_app.confluence.parameters import Parameters
from signals_app.gateway import tokens
from signals_app.market.calendar import iso, milliseconds
from signals_app.market.candle import Candle, Timeframe
from signals_app.market.encoding import as_json
from signals_app.models import Connector, Decision, PriceCandle, Signal, Strategy
from signals_app.pipeline.decisions import decide_closes
from tests.callers import API, caller
from tests.signals_app.confluence.views import bullish_market
from tests.signals_app.pipeline.closes import stored_close
from tests.trades_app.examples import CLOSE_MS, SIGNAL
from tests.trades_app.rows import numbered, stored_signal

pytestmark = pytest.mark.django_db

QUARTER = 900_000
SCHEMA_OF_TRADING_SIGNAL = {
    "signal_id",
    "instrument",
    "direction",
    "entry_price",
    "stop_loss",
    "take_profit_1",
    "take_profit_2",
    "risk_reward_ratio",
    "position_size",
    "risk_percentage",
    "setup_type",
    "market_structure",
    "confluence_factors",
    "confidence_score",
    "h4_context",
    "h1_context",
    "m15_context",
    "timestamp",
    "session",
}


def ids(response: object) -> list[str]:
    return [row["signal_id"] for row in response.json()["results"]]  # type: ignore[attr-defined]


def test_a_signal_is_the_exported_one_and_where_it_stands() -> None:
    stored_signal()
    row = Signal.objects.get()

    answer = caller().get(f"{API}/signals/XAU_20240105_001").json()

    assert answer == {
        **as_json(SIGNAL),
        "status": "ACTIVE",
        "strategy": "default v1",
        "created_at": iso(milliseconds(row.created_at)),
        **dict.fromkeys(
            (
                "probability",
                "probability_low",
                "probability_high",
                "probability_n",
                "probability_random",
            ),
            None,
        ),
        "probability_of": "",
    }
    assert answer.keys() >= SCHEMA_OF_TRADING_SIGNAL
    assert answer.keys() == set(SignalSerializer.Meta.fields)
    assert answer["timestamp"] == "2024-01-05T14:30:00Z"


def test_a_signal_that_is_not_there_is_named() -> None:
    response = caller().get(f"{API}/signals/XAU_1")

    assert response.status_code == 404
    assert response.json()["error"]["message"] == "There is no signal XAU_1."


def test_signals_come_newest_first_in_pages() -> None:
    for number in range(1, 6):
        stored_signal(numbered(number))
    client = caller()

    first = client.get(f"{API}/signals", {"limit": 2})
    second = client.get(first.json()["next"])
    third = client.get(second.json()["next"])
    back = client.get(second.json()["previous"])

    assert ids(first) == ["XAU_20240105_005", "XAU_20240105_004"]
    assert first.json()["previous"] is None
    assert ids(second) == ["XAU_20240105_003", "XAU_20240105_002"]
    assert ids(third) == ["XAU_20240105_001"]
    assert third.json()["next"] is None
    assert ids(back) == ids(first)


def test_active_signals_are_those_whose_trade_is_not_over() -> None:
    stored_signal(numbered(1))
    closed = stored_signal(numbered(2))
    Signal.objects.filter(pk=closed.pk).update(status="CLOSED")

    assert ids(caller().get(f"{API}/signals/active")) == ["XAU_20240105_001"]


def test_a_page_of_signals_costs_two_queries(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    for number in range(1, 8):
        stored_signal(numbered(number))
    client = caller()

    # The key and the page.
    with django_assert_num_queries(2):
        client.get(f"{API}/signals")


def test_candles_come_oldest_first_and_next_leads_to_older_ones() -> None:
    made = [Candle(CLOSE_MS + i * QUARTER, 1.0 + i, 3.5, 0.5, 2.12345, 7) for i in range(5)]
    PriceCandle.objects.bulk_create(
        PriceCandle.of("XAUUSD", Timeframe.M15, made, PriceCandle.Source.TICKS)
    )
    query = {"symbol": "XAUUSD", "timeframe": "M15", "limit": 3}
    client = caller()

    page = client.get(f"{API}/candles", query).json()
    older = client.get(page["next"]).json()

    assert [row["time"][11:] for row in page["results"]] == ["15:00:00Z", "15:15:00Z", "15:30:00Z"]
    assert page["results"][0] == {
        "time": "2024-01-05T15:00:00Z",
        "open": 3.0,
        "high": 3.5,
        "low": 0.5,
        "close": 2.12345,
        "volume": 7,
    }
    assert page["results"][0].keys() == set(CandleSerializer.Meta.fields)
    assert [row["time"][11:] for row in older["results"]] == ["14:30:00Z", "14:45:00Z"]


@pytest.mark.parametrize(
    ("query", "status", "message"),
    [
        ({}, 400, "symbol is needed, for example symbol=XAUUSD."),
        ({"symbol": "XAUUSD"}, 400, "timeframe must be one of M15, H1, H4."),
        ({"symbol": "XAUUSD", "timeframe": "M2"}, 400, "timeframe must be one of M15, H1, H4."),
        ({"symbol": "ABC", "timeframe": "M15"}, 404, "There is no instrument ABC."),
    ],
)
def test_candles_need_a_symbol_and_a_timeframe(
    query: dict[str, str], status: int, message: str
) -> None:
    response = caller().get(f"{API}/candles", query)

    assert response.status_code == status
    assert response.json()["error"]["message"] == message


def test_connectors_say_when_they_are_simulated() -> None:
    Connector.objects.create(name="b-simulated", symbols=["XAUUSD"], roles={"XAUUSD": "active"})
    Connector.objects.create(name="a", symbols=["EURUSD"], is_revoked=True)

    rows = caller().get(f"{API}/connectors").json()["results"]

    assert [(row["name"], row["is_simulated"], row["is_revoked"]) for row in rows] == [
        ("a", False, True),
        ("b-simulated", True, False),
    ]
    assert rows[1]["roles"] == {"XAUUSD": "active"}
    assert rows[1]["last_seen"] is None


def test_a_connector_key_gets_its_connectors_token(settings: Settings) -> None:
    client = caller("connector", name="mt5-london", symbols=("XAUUSD", "EURUSD"))

    response = client.post(
        f"{API}/connectors/token", {"name": "mt5-london", "symbols": ["XAUUSD"]}, format="json"
    )

    assert response.status_code == 200
    answer = response.json()
    keys = tokens.SigningKeys.parse(settings.CONNECTOR_JWT_KEYS)
    claims = tokens.verify(keys, answer["token"], now=time())
    assert (claims.connector, claims.symbols) == ("mt5-london", ("XAUUSD",))
    expires_at = datetime.fromisoformat(answer["expires_at"])
    assert expires_at.timestamp() == claims.expires_at
    assert claims.expires_at - claims.issued_at == timedelta(hours=24).total_seconds()
    assert claims.key == ApiKey.objects.get().prefix
    assert Connector.objects.get().symbols == ["EURUSD", "XAUUSD"]


@pytest.mark.parametrize(
    ("name", "symbols", "message"),
    [
        ("mt5-paris", ["XAUUSD"], "This key is the connector mt5-london's, not mt5-paris's."),
        ("mt5-london", ["XAUUSD", "USDCAD"], "This key does not carry USDCAD."),
    ],
)
def test_a_connector_key_gets_no_other_token(name: str, symbols: list[str], message: str) -> None:
    client = caller("connector", name="mt5-london", symbols=("XAUUSD",))

    response = client.post(
        f"{API}/connectors/token", {"name": name, "symbols": symbols}, format="json"
    )

    assert response.status_code == 403
    assert response.json()["error"]["message"] == message
    assert not Connector.objects.exists()


def test_a_revoked_connector_gets_no_token() -> None:
    Connector.objects.create(name="mt5", symbols=["XAUUSD"], is_revoked=True)

    response = caller("admin").post(
        f"{API}/connectors/token", {"name": "mt5", "symbols": ["XAUUSD"]}, format="json"
    )

    assert response.status_code == 403
    assert response.json()["error"]["message"] == "The connector mt5 is revoked."


def test_no_token_carries_more_than_the_connector_may_send() -> None:
    client = caller("admin")
    url = f"{API}/connectors/token"
    client.post(url, {"name": "m", "symbols": ["XAUUSD"]}, format="json")

    response = client.post(url, {"name": "m", "symbols": ["XAUUSD", "EURUSD"]}, format="json")

    assert response.status_code == 403
    message = "The connector m may not send EURUSD: add it to its symbols in the admin first."
    assert response.json()["error"]["message"] == message
    assert Connector.objects.get().symbols == ["XAUUSD"]


def test_a_key_gets_no_token_of_a_connector_that_another_made() -> None:
    url = f"{API}/connectors/token"
    body = {"name": "mt5-london", "symbols": ["XAUUSD"]}
    assert caller("admin").post(url, body, format="json").status_code == 200

    response = caller("connector", name="mt5", symbols=("XAUUSD",)).post(url, body, format="json")

    assert response.status_code == 403
    assert "is not this key's" in response.json()["error"]["message"]


def test_a_connector_gets_no_more_tokens_than_anybody_needs() -> None:
    client, other = caller("admin"), {"name": "other", "symbols": ["XAUUSD"]}
    url, body = f"{API}/connectors/token", {"name": "mt5", "symbols": ["XAUUSD"]}

    answers = [client.post(url, body, format="json") for _ in range(31)]

    assert {answer.status_code for answer in answers[:30]} == {200}
    assert (answers[30].status_code, answers[30]["Retry-After"]) == (429, "60")
    assert client.post(url, other, format="json").status_code == 200


def test_a_revoked_key_gets_no_token() -> None:
    client = caller("connector", name="mt5", symbols=("XAUUSD",))
    ApiKey.objects.update(revoked=True)

    response = client.post(
        f"{API}/connectors/token", {"name": "mt5", "symbols": ["XAUUSD"]}, format="json"
    )

    assert response.status_code == 401


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        {"name": "mt5"},
        {"name": "mt5", "symbols": []},
        {"name": "mt5", "symbols": "XAUUSD"},
        {"name": "mt 5", "symbols": ["XAUUSD"]},
        {"name": "mt5", "symbols": ["X" * 21]},
        {"name": "m" * 65, "symbols": ["XAUUSD"]},
        {"name": "mt5\x00", "symbols": ["XAUUSD"]},
    ],
)
def test_a_token_request_that_makes_no_sense_is_refused(body: object) -> None:
    response = caller("admin").post(f"{API}/connectors/token", body, format="json")

    assert response.status_code == 400
    assert response.json()["error"]["code"] == "invalid"


def test_decisions_say_why_there_is_no_signal_and_which_version_said_so() -> None:
    first = stored_close()
    market = bullish_market()
    market[0].candles = 20
    stored_close(market, quarters=1)
    waiting = stored_close(quarters=2, entry=None)
    decide_closes("XAUUSD")
    # The signal's trade comes first: it is opened before the next close is decided.
    Decision.objects.filter(pk=first.pk).update(outcome="SIGNAL")
    decide_closes("XAUUSD")

    last, refused, signal = caller().get(f"{API}/decisions").json()["results"]

    assert refused.pop("decided_at") is not None
    assert refused == {
        "instrument": "XAUUSD",
        "timestamp": "2024-01-05T14:45:00Z",
        "outcome": "REFUSED",
        "direction": "BUY",
        "score": 97.72,
        "reason": "WARMING_UP",
        "text": "20 candles of H4, 50 are needed",
        "strategy": "default v1",
        "entry_time": "2024-01-05T14:45:00.250Z",
        "entry_ordinal": 78,
    }
    assert (signal["outcome"], signal["reason"]) == ("SIGNAL", "")
    assert (last["timestamp"], last["outcome"]) == (iso(waiting.close_time_ms), "PENDING")
    assert (last["strategy"], last["entry_time"], last["decided_at"]) == (None, None, None)


def test_the_configuration_tells_every_parameter() -> None:
    answer = caller().get(f"{API}/config").json()

    assert (answer["strategy"], answer["version"]) == ("default", 1)
    assert answer["parameters"] == asdict(Parameters())


@pytest.mark.parametrize("wrapped", [False, True])
def test_a_change_of_parameters_is_a_new_version(wrapped: bool) -> None:
    changes = {"threshold": 85, "maximum_trade_hours": None}

    response = caller("admin").post(
        f"{API}/config/update", {"parameters": changes} if wrapped else changes, format="json"
    )

    assert response.status_code == 200
    assert response.json()["version"] == 2
    assert response.json()["parameters"] == {**asdict(Parameters()), **changes}
    assert list(Strategy.objects.order_by("version").values_list("version", "status")) == [
        (1, "RETIRED"),
        (2, "LIVE"),
    ]
    assert Strategy.objects.live().parameters == changes


def test_a_change_back_to_the_default_is_no_difference_any_more() -> None:
    client = caller("admin")

    client.post(f"{API}/config/update", {"threshold": 85}, format="json")
    client.post(f"{API}/config/update", {"risk_percentage": 2}, format="json")
    client.post(f"{API}/config/update", {"threshold": 80}, format="json")

    live = Strategy.objects.live()
    assert (live.version, live.parameters) == (4, {"risk_percentage": 2.0})


def test_a_change_that_changes_nothing_makes_no_version() -> None:
    response = caller("admin").post(f"{API}/config/update", {"threshold": 80}, format="json")

    assert response.json()["version"] == 1
    assert Strategy.objects.count() == 1


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, 'Send the parameters to change, for example {"threshold": 85}.'),
        ([1], 'Send the parameters to change, for example {"threshold": 85}.'),
        ({"threshold": "85"}, "threshold must be a number, not '85'."),
        ({"threshold": True}, "threshold must be a number, not True."),
        ({"threshold": None}, "threshold must be a number, not None."),
        ({"threshold": 101}, "threshold must be from 0 to 100, not 101."),
        ({"threshold": 10**400}, f"threshold must be from 0 to 100, not {10**400}."),
        (
            {"minimum_risk_reward": 1.9},
            "minimum_risk_reward must be from 2 to 100, not 1.9.",
        ),
        ({"maximum_open_trades": 2.5}, "maximum_open_trades must be a whole number, not 2.5."),
        (
            {"take_profit_1_r": 3},
            "take_profit_1_r (3.0) must not be above take_profit_2_r (2.5).",
        ),
    ],
)
def test_a_parameter_that_makes_no_sense_is_refused(body: object, message: str) -> None:
    response = caller("admin").post(f"{API}/config/update", body, format="json")

    assert response.status_code == 400
    assert response.json()["error"]["message"] == message
    assert Strategy.objects.count() == 1


def test_without_a_live_strategy_the_configuration_says_what_to_do() -> None:
    Strategy.objects.update(status="RETIRED")
    client = caller("admin")

    for response in (
        client.get(f"{API}/config"),
        client.post(f"{API}/config/update", {"threshold": 85}, format="json"),
    ):
        assert response.status_code == 409
        assert response.json()["error"] == {
            "code": "nothing_live",
            "message": "No strategy is live: make one live in the admin or by `shadow`.",
        }
    assert Strategy.objects.count() == 1


def test_a_parameter_that_does_not_exist_is_answered_with_those_that_do() -> None:
    response = caller("admin").post(f"{API}/config/update", {"treshold": 85}, format="json")

    message = response.json()["error"]["message"]
    assert message.startswith("There is no parameter 'treshold'; there are threshold, ")


def test_every_parameter_has_limits_that_hold_its_default() -> None:
    defaults = asdict(Parameters())

    assert LIMITS.keys() == defaults.keys()
    for name, (lowest, highest) in LIMITS.items():
        assert lowest <= defaults[name] <= highest, name
