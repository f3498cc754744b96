"""`manage.py stack`: database, Redis, gateway, workers and web, started and ended together."""
