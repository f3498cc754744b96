"""Where Django looks for an app's admin; ours is the room `admin_site`."""

from goldtrader.admin_site import admin, audit, timetable

__all__ = ("admin", "audit", "timetable")
