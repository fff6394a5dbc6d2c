"""The Celery application that workers run, on the broker of this host's settings."""

import logging
import signal

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


@signals.worker_process_init.connect
def _end_with_the_parent(**_: object) -> None:
    """A terminal sends SIGHUP to all processes of a command. One of the pool that it ended amid a
    message would keep the locks that the others and their parent wait for.
    """
    if hasattr(signal, "SIGHUP"):
        signal.signal(signal.SIGHUP, signal.SIG_IGN)


if _settings.embedded:
    signals.setup_logging.connect(_be_quiet)
elif asks_for_json():
    log_json()  # Celery warns before it sets its log up
    signals.setup_logging.connect(_log_json)
