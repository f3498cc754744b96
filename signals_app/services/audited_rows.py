"""Rows whose every change is written into the audit, whoever saves them: admin, API or command.

It is done where rows are saved, so that no door can forget it. Only `QuerySet.update` and bulk
writes pass by; a test sees to it that no code does that to these rows.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.db import models
from django.db.models import signals

from signals_app.services import audit
from signals_app.services.audit import HIDDEN_CHANGE, Change

_BEFORE: Final = "_audit_before"


def _key(row: Any) -> str:
    return str(row.pk)


@dataclass(frozen=True, slots=True)
class FollowedTable:
    """How rows of a table are followed: without the columns that programs write all the time."""

    model: type[models.Model]
    columns: tuple[str, ...]
    name_of: Callable[[Any], str]

    def read(self, row: models.Model, columns: Collection[str]) -> dict[str, Any] | None:
        """These columns as they are stored; `None` where the row is not."""
        rows = self.model._base_manager.using(row._state.db).filter(pk=row.pk)
        found: dict[str, Any] | None = rows.values(*columns).first()
        return found


_followed: dict[type[models.Model], FollowedTable] = {}


def follow(
    model: type[models.Model],
    *,
    except_for: Collection[str] = (),
    name_of: Callable[[Any], str] = _key,
) -> None:
    """Write every change of the table's rows, and of what is linked to them, into the audit.

    Called by `AppConfig.ready()`. ``name_of`` gives what a row is called, where its key says
    nothing, or too much.
    """
    columns = tuple(
        field.attname
        for field in model._meta.concrete_fields
        if field.name not in except_for and not (field.primary_key and name_of is not _key)
    )
    _followed[model] = FollowedTable(model, columns, name_of)
    identity = f"audit {model._meta.label}"
    signals.pre_save.connect(_before_save, sender=model, dispatch_uid=identity)
    signals.post_save.connect(_after_save, sender=model, dispatch_uid=identity)
    signals.post_delete.connect(_after_delete, sender=model, dispatch_uid=identity)
    for links in model._meta.many_to_many:
        through: Any = getattr(links.remote_field, "through", None)
        signals.m2m_changed.connect(_links_changed, sender=through, dispatch_uid=identity)


def followed_models() -> Collection[type[models.Model]]:
    """The tables that are followed."""
    return _followed.keys()


def _before_save(
    sender: type[models.Model],
    instance: models.Model,
    raw: bool,
    update_fields: Collection[str] | None,
    **_: Any,
) -> None:
    table = _followed[sender]
    columns = _saved(table, update_fields)
    before = table.read(instance, columns) if columns and instance.pk is not None else None
    setattr(instance, _BEFORE, None if raw else (columns, before))


def _after_save(sender: type[models.Model], instance: models.Model, **_: Any) -> None:
    columns, before = instance.__dict__.pop(_BEFORE, None) or ((), None)
    if not columns:
        return
    table = _followed[sender]
    after = table.read(instance, columns)
    if before is None:
        audit.record(_change(table, "created", instance, None, after))
        return
    changed = [name for name in columns if before[name] != (after or {}).get(name)]
    if changed:
        was = {name: before[name] for name in changed}
        now = {name: _marked(name, (after or {}).get(name)) for name in changed}
        audit.record(_change(table, "changed", instance, was, now))


def _after_delete(sender: type[models.Model], instance: models.Model, **_: Any) -> None:
    table = _followed[sender]
    was = {name: getattr(instance, name) for name in table.columns}
    audit.record(_change(table, "deleted", instance, was, None))


def _links_changed(
    instance: models.Model,
    action: str,
    model: type[models.Model],
    pk_set: Collection[Any] | None,
    sender: type[models.Model],
    **_: Any,
) -> None:
    name = model._meta.verbose_name_plural or model._meta.label_lower
    if action == "pre_clear":
        pk_set = _linked(instance, sender)
    if action not in ("post_add", "post_remove", "pre_clear") or not pk_set:
        return
    linked = sorted(str(row) for row in model._base_manager.filter(pk__in=pk_set))
    found = _followed.get(type(instance))
    subject = found.name_of(instance) if found else str(instance.pk)
    change = Change(
        "changed",
        instance._meta.label_lower,
        subject,
        before=None if action == "post_add" else {f"{name} removed": linked},
        after={f"{name} added": linked} if action == "post_add" else None,
    )
    audit.record(change)


def _linked(instance: models.Model, through: type[models.Model]) -> Collection[Any]:
    """The keys of all rows that are linked to this one."""
    own, other = None, None
    for field in through._meta.concrete_fields:
        target = field.remote_field.model if field.remote_field is not None else None
        if target is not None and isinstance(instance, target) and own is None:
            own = field
        elif target is not None:
            other = field
    if own is None or other is None:
        return ()
    rows = through._base_manager.filter(**{own.attname: instance.pk})
    return list(rows.values_list(other.attname, flat=True))


def _saved(table: FollowedTable, update_fields: Collection[str] | None) -> tuple[str, ...]:
    if update_fields is None:
        return table.columns
    names = {
        field.attname
        for field in table.model._meta.concrete_fields
        if field.name in update_fields or field.attname in update_fields
    }
    return tuple(name for name in table.columns if name in names)


def _change(
    table: FollowedTable,
    action: str,
    row: models.Model,
    before: Mapping[str, Any] | None,
    after: Mapping[str, Any] | None,
) -> Change:
    return Change(action, row._meta.label_lower, table.name_of(row), before, after)


def _marked(name: str, value: Any) -> Any:
    return HIDDEN_CHANGE if value and audit.is_secret(name) else value
