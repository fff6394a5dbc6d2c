"""MediaPipe Pose on a video: run by the Python of an environment that has `mediapipe`.

    PYTHON mediapipe_pose.py VIDEO static|tracking

Prints JSON: frames, poses, seconds and core-seconds, without the loading of the models.
"""

import json
import sys
import time

import cv2
import mediapipe  # type: ignore[import-not-found]  # only the environment that runs it has it


def main() -> None:
    """Reads with OpenCV and asks MediaPipe for the one person that it finds in each frame."""
    path, mode = sys.argv[1:]
    pose = mediapipe.solutions.pose.Pose(
        static_image_mode=mode == "static", model_complexity=1, smooth_landmarks=False
    )
    capture = cv2.VideoCapture(path)
    _, first = capture.read()
    pose.process(cv2.cvtColor(first, cv2.COLOR_BGR2RGB))
    capture = cv2.VideoCapture(path)
    frames, poses, began, cpu = 0, 0, time.perf_counter(), time.process_time()
    while True:
        read, picture = capture.read()
        if not read:
            break
        found = pose.process(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB))
        frames += 1
        poses += found.pose_landmarks is not None
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
