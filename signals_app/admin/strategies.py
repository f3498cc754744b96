"""Strategies: the parameters that decide. Saving a change makes the next version."""

from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any, TypeAlias, get_args, get_type_hints

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db import models
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.safestring import SafeString
from unfold.widgets import UnfoldAdminDecimalFieldWidget, UnfoldAdminIntegerFieldWidget

from signals_app.admin.base import ModelAdmin
from signals_app.admin.display import GOOD, NEUTRAL, labelled, moment
from signals_app.confluence.limits import LIMITS, BadParameter, check_order, check_values
from signals_app.confluence.parameters import Parameters
from signals_app.models import NoLiveStrategy, Strategy
from signals_app.services.strategies import NotPossible, change_parameters, make_live

if TYPE_CHECKING:
    ModelForm: TypeAlias = forms.ModelForm[Strategy]
else:
    ModelForm = forms.ModelForm

_GROUPS = (
    ("What is taken", ("threshold", "warm_up_candles", "maximum_entry_delay_ms")),
    ("Risk", ("risk_percentage", "maximum_open_trades", "daily_loss_percentage")),
    (
        "Stop and targets",
        (
            "stop_buffer_atr",
            "minimum_risk_atr",
            "maximum_risk_atr",
            "minimum_risk_spreads",
            "target_buffer_atr",
            "take_profit_1_r",
            "take_profit_2_r",
            "minimum_risk_reward",
            "maximum_risk_reward",
        ),
    ),
    (
        "Protections",
        (
            "zone_memory_hours",
            "cool_down_minutes",
            "weekly_close_minutes",
            "maximum_spread_pips",
        ),
    ),
    (
        "The trade's life and costs",
        (
            "maximum_trade_hours",
            "commission_per_lot",
            "swap_per_lot_night_buy",
            "swap_per_lot_night_sell",
            "slippage_pips",
        ),
    ),
)


def _field(name: str) -> forms.Field:
    kinds = get_args(get_type_hints(Parameters)[name]) or (get_type_hints(Parameters)[name],)
    lowest, highest = LIMITS[name]
    default = getattr(Parameters(), name)
    is_whole = float not in kinds
    kind: Any = forms.IntegerField if is_whole else forms.FloatField
    widget: Any = UnfoldAdminIntegerFieldWidget if is_whole else UnfoldAdminDecimalFieldWidget
    field: forms.Field = kind(
        widget=widget(attrs={"step": 1 if is_whole else "any"}),
        label=name.replace("_", " ").capitalize(),
        min_value=lowest,
        max_value=highest,
        required=type(None) not in kinds,
        help_text=f"{lowest:,} to {highest:,}; default {default:,}",
    )
    return field


class ParametersForm(ModelForm):
    """One field for each parameter, with its limits."""

    locals().update({each.name: _field(each.name) for each in fields(Parameters)})

    class Meta:
        model = Strategy
        fields = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, value in asdict(self.instance.value()).items():
            if name in self.fields:
                self.fields[name].initial = value

    def clean(self) -> dict[str, Any]:
        """Refuse parameters that contradict each other."""
        parameters = super().clean() or {}
        if not self.errors:
            try:
                check_values(parameters)
                check_order(parameters)
            except BadParameter as bad:
                raise ValidationError(str(bad)) from None
        return parameters


@admin.register(Strategy)
class StrategyAdmin(ModelAdmin):
    """The versions. None ever changes: saving the live one makes the next."""

    list_display = ("title", "state", "changes", "made_at")
    list_filter = ("status",)
    ordering = ("-pk",)
    form = ParametersForm
    actions: Any = ("make_live",)
    readonly_fields = ("title", "state", "changes", "made_at")

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """The parameters by their purpose; a retired version only shows what it changed."""
        version = (None, {"fields": (("title", "state"), "made_at", "changes")})
        if not self.has_change_permission(request, obj):
            return (version,)
        return (version, *((title, {"fields": names}) for title, names in _GROUPS))

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002
        """A version comes from a change."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        """Signals name the version that made them."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Only the live version leads to a next one."""
        may = super().has_change_permission(request, obj)
        return may and (obj is None or obj.status == Strategy.Status.LIVE)

    def save_model(self, request: HttpRequest, obj: Strategy, form: Any, change: bool) -> None:  # noqa: ARG002
        """Make the next version; this one stays as it is.

        Only what was changed on the page is changed, whatever somebody else changed meanwhile.
        """
        changes = {name: form.cleaned_data[name] for name in form.changed_data}
        try:
            request.next_strategy = change_parameters(changes)  # type: ignore[attr-defined]
        except (BadParameter, NoLiveStrategy) as refusal:
            self.message_user(request, str(refusal), messages.ERROR)

    def response_change(self, request: HttpRequest, obj: Strategy) -> HttpResponse:
        """Say which version decides now."""
        version: Strategy | None = getattr(request, "next_strategy", None)
        if version is None or version.pk == obj.pk:
            self.message_user(request, f"Nothing was changed; {obj} stays live.")
        else:
            text = f"{version} is live and decides from the next close on."
            self.message_user(request, text, messages.SUCCESS)
        return HttpResponseRedirect(reverse("admin:signals_app_strategy_changelist"))

    @admin.action(description="Make live: decide from the next close on", permissions=("change",))
    def make_live(self, request: HttpRequest, chosen: "models.QuerySet[Strategy]") -> None:
        """Let the one chosen version decide, or say why that is not possible."""
        versions = list(chosen[:2])
        if len(versions) != 1:
            self.message_user(request, "Choose one version: only one is live.", messages.ERROR)
            return
        try:
            text = f"{make_live(versions[0].pk)} is live and decides from the next close on."
        except NotPossible as refusal:
            self.message_user(request, str(refusal), messages.ERROR)
            return
        self.message_user(request, text, messages.SUCCESS)

    @admin.display(description="version", ordering="version")
    def title(self, strategy: Strategy) -> str:
        return str(strategy)

    @labelled(
        "status",
        {Strategy.Status.LIVE: GOOD, Strategy.Status.SHADOW: NEUTRAL, Strategy.Status.RETIRED: ""},
    )
    def state(self, strategy: Strategy) -> str:
        return strategy.status

    @admin.display(description="differs from the defaults")
    def changes(self, strategy: Strategy) -> str:
        differences = sorted(strategy.differences().items())
        return ", ".join(f"{name} {value}" for name, value in differences) or "nothing"

    @admin.display(description="made (UTC)")
    def made_at(self, strategy: Strategy) -> SafeString | str:
        return moment(strategy.created_at)
