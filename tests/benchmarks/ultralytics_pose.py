"""A YOLO pose model of ultralytics on a video: run by the Python of an environment that has it.

    PYTHON ultralytics_pose.py VIDEO yolo11n|yolo11s|...

Prints JSON: frames, poses, seconds and core-seconds, without the loading of the models; or what it
lacks, where its weights are neither there nor to be had.
"""

import json
import sys
import time

import cv2
import ultralytics  # type: ignore[import-not-found]  # only the environment that runs it has it


def main() -> None:
    """Reads with OpenCV; one model finds people and keypoints in every frame."""
    path, mode = sys.argv[1:]
    try:
        model = ultralytics.YOLO(f"{mode}-pose.pt")
    except Exception as error:  # noqa: BLE001 - whatever its download raises
        print(json.dumps({"lacks": f"its weights cannot be fetched ({type(error).__name__})"}))
        return
    capture = cv2.VideoCapture(path)
    model.predict(capture.read()[1], device="cpu", verbose=False)
    capture = cv2.VideoCapture(path)
    frames, poses, began, cpu = 0, 0, time.perf_counter(), time.process_time()
    while True:
        read, picture = capture.read()
        if not read:
            break
        (found,) = model.predict(picture, device="cpu", verbose=False)
        frames += 1
        poses += len(found.keypoints)
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
