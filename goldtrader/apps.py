"""The project as a Django app: its commands and the API keys."""

from django.apps import AppConfig, apps
from django.db.models.signals import post_migrate


class GoldtraderConfig(AppConfig):
    """Wires the project up once all apps are loaded."""

    name = "goldtrader"

    def ready(self) -> None:
        """Prepare this process's metrics, and say how databases are opened and keys are read."""
        from goldtrader.access.doors import record_logins
        from goldtrader.access.keys import read_keys
        from goldtrader.access.login import remember_browsers
        from goldtrader.access.roles import make_groups
        from goldtrader.operations import instrumentation, metrics
        from goldtrader.stack import use
        from signals_app.management import database
        from signals_app.services import api_keys

        _follow_access()
        record_logins()
        # Once the last app has its permissions.
        *_, last = apps.get_app_configs()
        post_migrate.connect(make_groups, sender=last, dispatch_uid="roles")
        remember_browsers()
        instrumentation.time_queries()
        metrics.begin_at_zero()
        database.register(use.open_database_of)
        api_keys.register(read_keys)


def _follow_access() -> None:
    """Have the audit follow who may do what, and what runs when."""
    from django.contrib.auth.models import Group, User
    from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask

    from goldtrader.models import ApiKey
    from signals_app.services.audited_rows import follow

    follow(User, except_for=("last_login",), name_of=User.get_username)
    follow(Group, name_of=str)
    follow(ApiKey, name_of=lambda key: f"{key.name} ({key.prefix})")
    # What beat itself writes after each run is no change of the timetable.
    runs = ("last_run_at", "total_run_count", "date_changed")
    follow(PeriodicTask, except_for=runs, name_of=lambda task: str(task.name))
    follow(CrontabSchedule)
    follow(IntervalSchedule)
