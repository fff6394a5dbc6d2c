"""How right the models were, as reviewers saw it: tracks without edits against those with them."""

import tempfile
from pathlib import Path

from annotate.domain.errors import UsageError
from annotate.domain.export_options import ExportOptions
from annotate.domain.job import Job
from annotate.domain.progress import Progress, silent
from annotate.evaluate import Evaluation, evaluate_files
from annotate.formats.registry import find_format
from annotate.queue.job_status import job_status
from annotate.store import Store
from annotate.use_cases.dataset import Meter, open_dataset
from annotate.use_cases.export import write


def evaluate_against_edits(store: Store, job: Job, progress: Progress = silent) -> Evaluation:
    """Compares the tracks of a job before and after its edits, in the frames that are reviewed.

    Only there is it known that everybody is found and right. Keypoints that reviewers left as they
    were count as right.

    Raises:
        UsageError: no frame is reviewed, or a library of the extra `evaluate` is not installed.
        StoreError: the store cannot be read.
    """
    status, coco = job_status(store, job), find_format("coco")
    with tempfile.TemporaryDirectory() as folder:
        truth, found = Path(folder) / "edited.json", Path(folder) / "unedited.json"
        for out in (truth, found):
            dataset = open_dataset(
                store,
                status,
                ExportOptions(out=out, reviewed_only=True),
                coco,
                Meter(progress),
                with_edits=out == truth,
            )
            if not any(len(video.frames) for video in dataset.videos):
                raise UsageError(
                    f"no frame of job {job.id} is reviewed, so nothing is known to be right",
                    "In `annotate review`, press V where everybody is found and right.",
                )
            write(coco, dataset, out, force=False)
        return evaluate_files(found, truth)
