"""The web server: gunicorn's processes, in which waitress gathers requests before threads do."""
