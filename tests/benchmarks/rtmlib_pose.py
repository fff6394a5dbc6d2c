"""rtmlib's RTMPose on a video: run by the Python of an environment that has `rtmlib`.

    PYTHON rtmlib_pose.py VIDEO lightweight|balanced|performance

Prints JSON: frames, poses, seconds and core-seconds, without the loading of the models; or what it
lacks, where its weights are neither there nor to be had.
"""

import json
import sys
import time

import cv2
import rtmlib  # type: ignore[import-not-found]  # only the environment that runs it has it


def main() -> None:
    """Reads with OpenCV; a detector and a pose model on every frame, as its examples do."""
    path, mode = sys.argv[1:]
    try:
        body = rtmlib.Body(mode=mode, backend="onnxruntime", device="cpu")
    except Exception as error:  # noqa: BLE001 - whatever its download raises
        print(json.dumps({"lacks": f"its weights cannot be fetched ({type(error).__name__})"}))
        return
    capture = cv2.VideoCapture(path)
    body(capture.read()[1])
    capture = cv2.VideoCapture(path)
    frames, poses, began, cpu = 0, 0, time.perf_counter(), time.process_time()
    while True:
        read, picture = capture.read()
        if not read:
            break
        keypoints, _ = body(picture)
        frames += 1
        poses += len(keypoints)
    print(
        json.dumps(
            {
                "frames": frames,
                "poses": poses,
                "seconds": time.perf_counter() - began,
                "core_seconds": time.process_time() - cpu,
            }
        )
    )


if __name__ == "__main__":
    main()
