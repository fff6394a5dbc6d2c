"""The Celery application that workers run, on the broker of this host's settings."""

import logging

from celery import signals

from annotate.domain.settings import settings_from
from annotate.queue.app import make_app
from annotate.queue.json_log import asks_for_json, log_json
from workers.identity import store_id

_settings = settings_from()


app = make_app(_settings.broker, "" if _settings.embedded else store_id())
app.conf.include = ["workers.tasks", "workers.probe", "workers.duties"]


def _be_quiet(**_: object) -> None:
    """Keeps Celery's log out of the progress bars of the command that runs this worker inside."""
    logging.getLogger().addHandler(logging.NullHandler())


def _log_json(**_: object) -> None:
    """Takes the place of Celery's own log."""
    log_json()


if _settings.embedded:
    signals.setup_logging.connect(_be_quiet)
elif asks_for_json():
    log_json()  # Celery warns before it sets its log up
    signals.setup_logging.connect(_log_json)
