"""The nouns of the program: frozen dataclasses with no behaviour beyond their own consistency.

Coordinates are pixels of the displayed frame (the container's rotation applied), origin at the top
left, without a half-pixel shift, as OpenCV and MediaPipe give them. Ranges are `[start, stop)`.
"""
