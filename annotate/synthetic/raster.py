"""Rays against solids: which solid each pixel sees, how far away, and how it is turned.

Every solid is a ball swept along a line while its radius changes, seen through a linear map that
flattens it along one axis. All pixels of all solids' bounding boxes are one long array, so a frame
costs the same few numpy calls whether it shows two people or eight.

For a ray `t * d` and the balls `|p - a - s * e| <= ra + s * dr`, s in [0, 1], the set of (s, t)
where ray and ball meet is convex. So the first hit lies where t is least over all s, if that s is
in [0, 1], else at the nearer end; and both are the hit of a ball.
"""

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from annotate.domain.arrays import FloatArray
from annotate.synthetic.camera import CameraView

_NEAREST_M = 0.2  # what comes closer to the lens is not drawn
CENTRE = 0.5  # a solid that covers this much of a pixel covers its centre
_TINY, _STEEP = np.float32(1e-9), np.float32(1e-6)
_BATCH = 1 << 16  # rays at a time: their arrays stay in the processor's cache


@dataclass(frozen=True, eq=False)
class Solids:
    """N solids in camera space, metres.

    Attributes:
        start: (N, 3) float32, centre of the first ball.
        end: (N, 3) float32, of the last; equal to `start`, or farther away than the radii differ.
        radii: (N, 2) float32 metres, of the first and the last ball.
        axis: (N, 3) float32, unit vectors along which the solids are flattened.
        flat: (N,) float32 >= 1: the extent along `axis` is divided by it.
    """

    start: FloatArray
    end: FloatArray
    radii: FloatArray
    axis: FloatArray
    flat: FloatArray


@dataclass(frozen=True, eq=False)
class Hits:
    """H hits of rays on solids, those behind other solids included, in order of the solids.

    Attributes:
        pixel: (H,) int32: row * width + column.
        solid: (H,) int32: index of the solid.
        depth: (H,) float32: z of the hit in camera space, metres.
        along: (H,) float32 in [0, 1]: the ball that is hit, from start to end.
        cover: (H,) float32 in (0, 1]: how much of the pixel the solid covers; its centre from
            `CENTRE` on.
    """

    pixel: NDArray[np.int32]
    solid: NDArray[np.int32]
    depth: FloatArray
    along: FloatArray
    cover: FloatArray

    def taken(self, chosen: NDArray[np.int64]) -> "Hits":
        """The hits with these indices, in this order."""
        return Hits(
            self.pixel[chosen],
            self.solid[chosen],
            self.depth[chosen],
            self.along[chosen],
            self.cover[chosen],
        )


def cast(solids: Solids, view: CameraView) -> Hits:
    """All hits of the rays through pixel centres on `solids`."""
    boxes = _boxes(solids, view)
    sizes = (boxes[:, 1] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 2])
    batches = np.split(np.arange(len(sizes)), _cuts(sizes))
    hits = [_cast_batch(solids, view, boxes, batch, sizes[batch]) for batch in batches]
    return Hits(
        *(np.concatenate([getattr(part, field.name) for part in hits]) for field in fields(Hits))
    )


def normals(solids: Solids, view: CameraView, hits: Hits) -> FloatArray:
    """(H, 3) float32 unit normals of the surfaces at `hits`, in camera space."""
    row, column = np.divmod(hits.pixel, view.width)
    solid, along = hits.solid, hits.along[:, None]
    point = np.stack([view.columns(column), view.rows(row), np.ones_like(hits.depth)], axis=1)
    point *= hits.depth[:, None]
    offset = point - solids.start[solid]
    offset -= along * (solids.end - solids.start)[solid]
    # A flattened solid is a ball seen through the map I + (flat - 1) axis axis', which is
    # symmetric: it takes points there, and, once more, normals back.
    axis = solids.axis[solid]
    stretch = solids.flat[solid] ** 2 - 1
    offset += (stretch * np.einsum("hi,hi->h", offset, axis))[:, None] * axis
    offset /= np.sqrt(np.einsum("hi,hi->h", offset, offset))[:, None]
    return offset


def _cast_batch(
    solids: Solids,
    view: CameraView,
    boxes: NDArray[np.int32],
    batch: NDArray[np.int64],
    sizes: NDArray[np.int32],
) -> Hits:
    solid = np.repeat(batch.astype(np.int32), sizes)
    within = np.arange(len(solid), dtype=np.int32)
    within -= np.repeat((np.cumsum(sizes) - sizes).astype(np.int32), sizes)
    box_width = np.repeat(boxes[batch, 1] - boxes[batch, 0], sizes)
    row, column = np.divmod(within, box_width)
    row += np.repeat(boxes[batch, 2], sizes)
    column += np.repeat(boxes[batch, 0], sizes)
    constants = _constants(solids, view, batch)
    rows = np.repeat(constants.T, sizes, axis=1)
    depth, along, cover = _first_hits(rows, view.columns(column), view.rows(row))
    pixel = row * np.int32(view.width) + column
    return Hits(pixel, solid, depth, along, cover).taken(np.flatnonzero(cover > 0))


def _constants(solids: Solids, view: CameraView, batch: NDArray[np.int64]) -> FloatArray:
    """(n, 18) what the rays need to know of each solid of the batch.

    The rays start from the depth of the solid's middle: from the lens, float32 would lose a
    centimetre at 30 m.
    """
    start, axis = solids.start[batch], solids.axis[batch]
    stretch = (solids.flat[batch] - 1)[:, None]
    sweep = solids.end[batch] - start
    origin = start[:, 2] + sweep[:, 2] / 2
    start_mapped = start + stretch * np.einsum("ni,ni->n", start, axis)[:, None] * axis
    sweep_mapped = sweep + stretch * np.einsum("ni,ni->n", sweep, axis)[:, None] * axis
    radius, growth = solids.radii[batch, 0], np.diff(solids.radii[batch])[:, 0]
    square = np.einsum("ni,ni->n", sweep_mapped, sweep_mapped)
    inverse = np.divide(1, square - growth**2, where=square > 0, out=np.zeros_like(square))
    pixel = origin / np.float32(view.focal_px)
    constants = np.column_stack(
        [
            *(origin, start_mapped, sweep_mapped, axis, stretch, radius, growth, square, inverse),
            *((start_mapped * axis).sum(axis=1), (sweep_mapped * axis).sum(axis=1), pixel),
        ]
    )
    return constants.astype(np.float32)


def _first_hits(
    rows: FloatArray, u: FloatArray, v: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """The first hit of each ray (u, v, 1), `rows` (18, R) being the constants of its solid.

    Returns:
        (R,) each: depth, ball, and how much of the pixel is covered: not above 0 where it misses.
    """
    origin, ax, ay, az, ex, ey, ez, nx, ny, nz, stretch, radius, growth, square, inverse = rows[:15]
    facing = u * nx + v * ny + nz
    lean = stretch * facing
    dx, dy, dz = u + lean * nx, v + lean * ny, 1 + lean * nz
    wx, wy, wz = origin * dx - ax, origin * dy - ay, origin * dz - az
    dd = dx * dx + dy * dy + dz * dz
    wd = wx * dx + wy * dy + wz * dz
    ww = wx * wx + wy * wy + wz * wz
    ed = ex * dx + ey * dy + ez * dz
    we = wx * ex + wy * ey + wz * ez
    # The cone that envelops all balls: s(t) = (t ed + we + growth radius) * inverse.
    shift = we + growth * radius
    a = dd - ed * ed * inverse
    b = wd - ed * shift * inverse
    c = ww - radius * radius - shift * shift * inverse
    t = -(b + np.sqrt(np.maximum(b * b - a * c, 0))) / np.maximum(a, _STEEP)
    # A ray steeper than the cone's flank sees the larger ball, and the other within it.
    along = np.where(a > _STEEP, np.clip((t * ed + shift) * inverse, 0, 1), growth > 0)
    # The ball of that s, and how far from its centre the ray passes.
    ball = radius + along * growth
    wd -= along * ed
    ww -= along * (2 * we - along * square)
    closest = wd / dd
    distance = np.sqrt(np.maximum(ww - closest * wd, 0))
    # One pixel farther, `distance` grows by a pixel times `slope`: more where it is flattened.
    an, en, pixel = rows[15:]
    across = (origin - closest) * (facing + lean) - an - along * en
    tilt = np.minimum((across / (distance + _TINY)) ** 2, 1)
    slope = np.sqrt(1 + stretch * (stretch + 2) * tilt)
    cover = np.minimum((ball - distance) / (slope * pixel) + np.float32(0.5), 1)
    inside = np.sqrt(np.maximum(wd * wd - dd * (ww - ball * ball), 0))
    depth = origin - closest - inside / dd
    return depth, along, cover


def _boxes(solids: Solids, view: CameraView) -> NDArray[np.int32]:
    """(N, 4) columns [start, stop), then rows [start, stop), of each solid's bounding box."""
    ends = np.stack([solids.start, solids.end], axis=1)
    radius = solids.radii[:, :, None]
    nearest = np.maximum(ends[:, :, 2:] - radius, np.float32(_NEAREST_M))
    farthest = ends[:, :, 2:] + radius
    low, high = ends[:, :, :2] - radius, ends[:, :, :2] + radius
    low = np.where(low < 0, low / nearest, low / farthest).min(axis=1)
    high = np.where(high > 0, high / nearest, high / farthest).max(axis=1)
    in_front = (ends[:, :, 2] - solids.radii > _NEAREST_M).all(axis=1)
    boxes = np.empty((len(ends), 4), np.int32)
    for axis, limit in enumerate((view.width, view.height)):
        first = np.floor(low[:, axis] * view.focal_px + view.centre[axis] - 0.5)
        last = np.ceil(high[:, axis] * view.focal_px + view.centre[axis] + 0.5) + 1
        boxes[:, 2 * axis] = np.clip(first, 0, limit)
        boxes[:, 2 * axis + 1] = np.where(in_front, np.clip(last, 0, limit), boxes[:, 2 * axis])
    boxes[:, 1::2] = np.maximum(boxes[:, 1::2], boxes[:, ::2])
    return boxes


def _cuts(sizes: NDArray[np.int32]) -> NDArray[np.int64]:
    """Where to cut the list of solids so that the batches have about `_BATCH` rays each."""
    batch = (np.cumsum(sizes) - sizes) // _BATCH
    return np.flatnonzero(np.diff(batch)) + 1
