"""The Celery application that workers run, on the broker of this host's settings."""

import logging
import os

from celery import signals

from annotate.domain.settings import STORE_VARIABLE, settings_from
from annotate.queue.app import make_app
from annotate.queue.json_log import asks_for_json, log_json
from annotate.store import open_store

_settings = settings_from()


def _store_id() -> str:
    """The id of the store, which `annotate worker` has looked up."""
    if _settings.embedded:
        return ""
    return os.environ.get(STORE_VARIABLE) or open_store(_settings.store).id()


app = make_app(_settings.broker, _store_id())
app.conf.include = ["workers.tasks", "workers.duties"]


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
