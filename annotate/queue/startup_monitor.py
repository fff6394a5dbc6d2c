"""Notices when the processes of a worker's pool die as they start."""

from typing import Any

from celery.worker import state

from annotate.domain.errors import WorkerError

# How many processes may die as they start, for each process of the pool.
MAX_STARTUP_DEATHS = 3


class PoolStartupMonitor:
    """Counts the processes that a pool has started until one of them takes a task.

    Where every process dies as it starts, Celery starts new ones for ever and reports nothing.
    """

    def __init__(self, worker: Any) -> None:
        self._worker = worker
        self._started: set[int] = set()
        self._task_taken = False

    def check(self) -> None:
        """Looks at the pool's present processes; call it every few seconds.

        Raises:
            WorkerError: too many processes were started, and none took a task.
        """
        pool: Any = getattr(getattr(self._worker, "pool", None), "_pool", None)
        if self._task_taken or not hasattr(pool, "_pool"):
            return  # pools of threads start no process
        self._started |= {process.pid for process in list(pool._pool)}
        self._task_taken = any(state.total_count.values())
        most = MAX_STARTUP_DEATHS * self._worker.concurrency
        if not self._task_taken and len(self._started) > most:
            raise WorkerError(
                "worker processes end as soon as they start",
                'See what ends them: python -c "import workers.tasks"; then annotate doctor.',
            )
