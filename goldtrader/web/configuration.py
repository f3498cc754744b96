"""gunicorn's settings, for the stack and the image alike: `--config python:<this module>`."""

wsgi_app = "goldtrader.wsgi:application"
worker_class = "goldtrader.web.worker.BufferingWorker"
workers = 2
threads = 4
# Loaded once for all processes.
preload_app = True
# A process that gives no sign for so long is started anew.
timeout = 60
graceful_timeout = 3
control_socket_disable = True
