"""The Celery application that workers run, on the broker of this host's settings."""

import logging

from celery import signals

from annotate.domain.settings import settings_from
from annotate.queue.app import make_app

_settings = settings_from()
app = make_app(_settings.broker)
app.conf.include = ["workers.tasks", "workers.duties"]


def _be_quiet(**_: object) -> None:
    """Keeps Celery's log out of the progress bars of the command that runs this worker inside."""
    logging.getLogger().addHandler(logging.NullHandler())


if _settings.embedded:
    signals.setup_logging.connect(_be_quiet)
