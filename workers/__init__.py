"""The Celery worker: `annotate submit` runs one inside, `celery -A workers worker` starts one."""

from workers.application import app

__all__ = ["app"]
