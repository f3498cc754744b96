"""The timetable of the product's tasks. Whoever could change it could run any task."""

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db import models, transaction
from django.http import HttpRequest
from django_celery_beat.admin import (
    CrontabScheduleAdmin,
    PeriodicTaskAdmin,
    ScheduleAdmin,
)
from django_celery_beat.models import (
    CrontabSchedule,
    IntervalSchedule,
    PeriodicTask,
    PeriodicTasks,
)

from goldtrader.admin_site.superusers import SuperusersAlone
from signals_app.admin.base import ModelAdmin
from signals_app.services import audit
from signals_app.services.audit import Change

if TYPE_CHECKING:
    Tasks = models.QuerySet[Any]

for replaced in (PeriodicTask, IntervalSchedule, CrontabSchedule):
    admin.site.unregister(replaced)


@admin.register(PeriodicTask)
class TimetableAdmin(SuperusersAlone, PeriodicTaskAdmin, ModelAdmin):  # type: ignore[misc]
    """The tasks and when each runs. Its actions save row by row, so that the audit sees each."""

    actions = ("enable_tasks", "disable_tasks", "toggle_tasks", "run_tasks")

    @admin.action(description="Enable selected tasks")
    def enable_tasks(self, request: HttpRequest, queryset: "Tasks") -> None:
        self._switch(request, queryset, lambda _: True)

    @admin.action(description="Disable selected tasks")
    def disable_tasks(self, request: HttpRequest, queryset: "Tasks") -> None:
        self._switch(request, queryset, lambda _: False)

    @admin.action(description="Toggle activity of selected tasks")
    def toggle_tasks(self, request: HttpRequest, queryset: "Tasks") -> None:
        self._switch(request, queryset, lambda task: not task.enabled)

    @admin.action(description="Run selected tasks")
    def run_tasks(self, request: HttpRequest, queryset: "Tasks") -> None:
        """Run the tasks now."""
        audit.record(
            *(
                Change(
                    "ordered to run", task._meta.label_lower, task.name, after={"task": task.task}
                )
                for task in queryset
            )
        )
        super().run_tasks(request, queryset)

    def _switch(self, request: HttpRequest, tasks: "Tasks", enabled: Any) -> None:
        changed = 0
        with transaction.atomic():
            for task in tasks.select_for_update(of=("self",)):
                wanted = enabled(task)
                if task.enabled != wanted:
                    task.enabled = wanted
                    if not wanted:
                        task.last_run_at = None
                    task.save()
                    changed += 1
            PeriodicTasks.update_changed()
        self.message_user(request, f"{changed} changed.")


@admin.register(IntervalSchedule)
class IntervalAdmin(SuperusersAlone, ScheduleAdmin, ModelAdmin):  # type: ignore[misc]
    """How often."""


@admin.register(CrontabSchedule)
class CrontabAdmin(SuperusersAlone, CrontabScheduleAdmin, ModelAdmin):  # type: ignore[misc]
    """At which times."""
