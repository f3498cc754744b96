"""Every URL of the web server."""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from goldtrader.api.docs import docs
from goldtrader.api.schema import SchemaView
from goldtrader.operations import metrics
from goldtrader.operations.health_api import HealthView
from reports_app.api.performance import NAMES, PerformanceReport
from reports_app.dashboard.live import Stream
from signals_app.api import views as signals
from signals_app.api.probabilities import ProbabilityList
from trades_app.api import trades

handler400 = "goldtrader.api.errors.bad_request"
handler404 = "goldtrader.api.errors.not_found"
handler500 = "goldtrader.api.errors.server_error"

api = [
    path("health", HealthView.as_view(), name="health"),
    path("signals", signals.SignalList.as_view(), name="signals"),
    path("signals/active", signals.ActiveSignalList.as_view(), name="active-signals"),
    path("signals/<str:signal_id>", signals.SignalDetail.as_view(), name="signal"),
    path("decisions", signals.DecisionList.as_view(), name="decisions"),
    path("trades", trades.TradeList.as_view(), name="trades"),
    path("trades/active", trades.ActiveTradeList.as_view(), name="active-trades"),
    path("trades/<int:trade_id>", trades.TradeDetail.as_view(), name="trade"),
    *(
        path(
            f"performance/{name}",
            PerformanceReport.as_view(period=period),
            name=f"{name}-performance",
        )
        for name, period in NAMES.items()
    ),
    path("candles", signals.CandleList.as_view(), name="candles"),
    path("probabilities", ProbabilityList.as_view(), name="probabilities"),
    path("connectors", signals.ConnectorList.as_view(), name="connectors"),
    path("connectors/token", signals.ConnectorToken.as_view(), name="connector-token"),
    path("config", signals.Configuration.as_view(), name="config"),
    path("config/update", signals.ConfigurationUpdate.as_view(), name="config-update"),
    path("stream", Stream.as_view(), name="stream"),
    path("schema", SchemaView.as_view(), name="schema"),
    path("docs", docs, name="docs"),
]

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index"), name="home"),
    path("admin/", admin.site.urls),
    path("api/v1/", include(api)),
    path("metrics", metrics.view, name="metrics"),
    # Browsers ask for it without having been told of any.
    path("favicon.ico", RedirectView.as_view(url="/static/goldtrader/icon.svg")),
]
