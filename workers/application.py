"""The Celery application that workers run, on the broker of this host's settings."""

from annotate.broker import make_app
from annotate.settings import settings_from

app = make_app(settings_from().broker)
app.conf.include = ["workers.tasks"]
