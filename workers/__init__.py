"""The Celery worker: `annotate submit` holds one inside, `celery -A workers worker` starts one."""

from workers.application import app

__all__ = ["app"]
