"""MediaPipe's own landmarks of pictures: run by the Python of an environment that has `mediapipe`.

    PYTHON mediapipe_landmarks.py PICTURES.npy COMPLEXITY OUT.npz

The pictures are (N, H, W, 3) uint8 RGB. OUT has `landmarks` (N, 33, 4) x, y, z in pixels and
visibility, `world` (N, 33, 3) metres, and `found` (N,) bool.
"""

import sys

import mediapipe  # type: ignore[import-not-found]  # only the environment that runs it has it
import numpy as np


def main() -> None:
    """Asks for the one person of each picture, taken by itself."""
    pictures, complexity, out = sys.argv[1:]
    pose = mediapipe.solutions.pose.Pose(
        static_image_mode=True, model_complexity=int(complexity), smooth_landmarks=False
    )
    frames = np.load(pictures)
    landmarks = np.zeros((len(frames), 33, 4))
    world = np.zeros((len(frames), 33, 3))
    found = np.zeros(len(frames), np.bool_)
    for number, frame in enumerate(frames):
        answer = pose.process(frame)
        found[number] = answer.pose_landmarks is not None
        if found[number]:
            height, width = frame.shape[:2]
            landmarks[number] = [
                (one.x * width, one.y * height, one.z * width, one.visibility)
                for one in answer.pose_landmarks.landmark
            ]
            world[number] = [(one.x, one.y, one.z) for one in answer.pose_world_landmarks.landmark]
    np.savez(out, landmarks=landmarks, world=world, found=found)


if __name__ == "__main__":
    main()
