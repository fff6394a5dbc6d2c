"""From a scene to pixels: people and pillars in front of the backdrop, lit, with soft edges."""

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from annotate.domain.arrays import FloatArray
from annotate.synthetic.backdrop import backdrop, floor_depth, floor_places, palette
from annotate.synthetic.body import Body, body
from annotate.synthetic.camera import CameraView, views
from annotate.synthetic.raster import CENTRE, Hits, Solids, cast, normals
from annotate.synthetic.scene import Pillar, Scene
from annotate.synthetic.shapes import Shape, outfit_of, shapes
from annotate.synthetic.walk import walk

NO_HIT = -1
_LIGHT = (-0.45, 0.72, -0.53)  # towards the light, in the world: behind the camera, to the left
_SHADOW_M = (0.30, 0.35)  # where a body's shadow lies on the floor
_SKY, _SUN = 0.62, 0.55
_STONE = (184, 178, 170)
_NEAREST_SHADOW_M = 0.3


@dataclass(frozen=True, eq=False)
class Sight:
    """What a frame shows, before it is coloured.

    Attributes:
        view: the camera.
        solids: people first, in order, then pillars.
        owner: (N,) int32 index of the person that each solid belongs to; the number of people
            for pillars.
        hits: of all rays on all solids.
        base: (H * W,) int32: index of the nearest hit that covers its pixel, or `NO_HIT`.
        rim: (H * W,) int32: index of the nearest hit before it that covers a part of the pixel,
            or `NO_HIT`.
    """

    view: CameraView
    solids: Solids
    owner: NDArray[np.int32]
    hits: Hits
    base: NDArray[np.int32]
    rim: NDArray[np.int32]

    def front(self) -> NDArray[np.int32]:
        """(H * W,) int32: index of the hit that each pixel's centre shows, or `NO_HIT`."""
        depth = np.repeat(floor_depth(self.view), self.view.width)
        return _nearest(self.hits, np.flatnonzero(self.hits.cover >= CENTRE), depth)


_NOTHING = Solids(
    start=np.empty((0, 3), np.float32),
    end=np.empty((0, 3), np.float32),
    radii=np.empty((0, 2), np.float32),
    axis=np.empty((0, 3), np.float32),
    flat=np.empty(0, np.float32),
)


@dataclass(frozen=True, eq=False)
class _Actor:
    """A person of the scene with everything that is the same in all frames."""

    body: Body
    shapes: tuple[Shape, ...]
    radii: FloatArray
    colours: FloatArray
    flat: FloatArray


class Renderer:
    """Draws the frames of a scene.

    Attributes:
        scene: the scene.
        views: the camera in every frame.
        bodies: the body of every person over all frames.
    """

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        times_s = scene.frame_times()
        self.views = views(scene.camera, times_s, scene.width, scene.height)
        self._actors = [_actor(scene, number) for number in range(len(scene.people))]
        self.bodies = [actor.body for actor in self._actors]
        stone = np.tile(np.array(_STONE, np.float32), (2 * len(scene.pillars), 1))
        self._colours = np.concatenate([*(actor.colours for actor in self._actors), stone])
        self._palette = palette(scene.seed)
        self._wall_m = _wall_distance(scene)
        self._backdrop: tuple[CameraView, NDArray[np.uint8]] | None = None

    def frame(self, index: int) -> NDArray[np.uint8]:
        """Frame `index`, (H, W, 3) uint8 RGB."""
        return self.draw(index, self.sight(index))

    def sight(self, index: int) -> Sight:
        """What frame `index` shows, without colours."""
        view = self.views[index]
        parts = [_person(actor, index, view) for actor in self._actors]
        parts += [_pillar(pillar, view) for pillar in self.scene.pillars]
        whose = np.minimum(np.arange(len(parts), dtype=np.int32), len(self._actors))
        owner = np.repeat(whose, np.array([len(part.flat) for part in parts], np.int64))
        solids = _joined([_NOTHING, *parts])
        hits = cast(solids, view)
        depth = np.repeat(floor_depth(view), view.width)
        base = _nearest(hits, np.flatnonzero(hits.cover == 1), depth)
        rim = _nearest(hits, np.flatnonzero(hits.cover < 1), depth)
        return Sight(view, solids, owner, hits, base, rim)

    def draw(self, index: int, sight: Sight) -> NDArray[np.uint8]:
        """The picture (H, W, 3) uint8 RGB of what frame `index` shows."""
        rgb = self._background(sight.view).copy()
        for x, z, radius, dark in self._shadows(index):
            _darken(rgb, sight.view, x, z, radius, dark)
        for layer in (sight.base, sight.rim):
            hits = sight.hits.taken(layer[layer != NO_HIT])
            light = _light(normals(sight.solids, sight.view, hits), sight.view)
            shaded = np.minimum(self._colours[hits.solid] * light[:, None], 255)
            _blend(rgb.reshape(-1, 3), hits, shaded)
        return rgb

    def _shadows(self, index: int) -> list[tuple[float, float, float, float]]:
        """x, z, radius in metres and darkness of the soft spots on the floor."""
        spots = [(p.x_m, p.z_m, 2.2 * p.radius_m, 0.4) for p in self.scene.pillars]
        for actor in self._actors:
            for side in ("left", "right"):
                x, height, z = actor.body.points[f"{side}_ball"][index].tolist()
                spots.append((x, z, 0.20, 0.40 * np.exp(-height / 0.15)))
            x, _, z = actor.body.points["pelvis"][index].tolist()
            spots.append((x + _SHADOW_M[0], z + _SHADOW_M[1], 0.5, 0.25))
        return spots

    def _background(self, view: CameraView) -> NDArray[np.uint8]:
        last = self._backdrop
        if last is None or not last[0].same_as(view):
            self._backdrop = last = view, backdrop(view, self._wall_m, self._palette)
        return last[1]


def _actor(scene: Scene, number: int) -> _Actor:
    person, times_s = scene.people[number], scene.frame_times()
    outfit = outfit_of(scene.seed, number)
    solids = shapes(outfit)
    return _Actor(
        body=body(walk(person, times_s), times_s, person.stature_m, person.waving),
        shapes=solids,
        radii=np.array([s.radii for s in solids], np.float32) * np.float32(person.stature_m),
        flat=np.array([s.flat for s in solids], np.float32),
        colours=np.array([outfit.colours[s.colour] for s in solids], np.float32) * 255,
    )


def _person(actor: _Actor, index: int, view: CameraView) -> Solids:
    points, bases = actor.body.points, actor.body.bases
    start = np.array([points[s.start][index] for s in actor.shapes])
    end = np.array([points[s.end][index] for s in actor.shapes])
    axis = np.array([bases[s.part][index, s.axis] for s in actor.shapes])
    turned = axis @ view.rotation.T
    return Solids(view.to_camera(start), view.to_camera(end), actor.radii, turned, actor.flat)


def _pillar(pillar: Pillar, view: CameraView) -> Solids:
    """A shaft on a wider base, both with flat tops; the floor hides what is below it."""
    place = np.array([pillar.x_m, -0.1, pillar.z_m], np.float32)
    tops = np.array([[0, pillar.height_m, 0], [0, 0.25, 0]], np.float32)
    radius = np.float32(pillar.radius_m) * np.array([[1, 1], [1.3, 1.3]], np.float32)
    start = np.broadcast_to(view.to_camera(place), (2, 3))
    up = np.broadcast_to(view.rotation[:, 1], (2, 3))
    return Solids(start, view.to_camera(place + tops), radius, up, np.full(2, 6, np.float32))


def _joined(parts: list[Solids]) -> Solids:
    names = [field.name for field in fields(Solids)]
    return Solids(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


def _wall_distance(scene: Scene) -> float:
    """Behind everything, with room to walk."""
    places = [(way.x_m, way.z_m) for person in scene.people for way in person.path]
    places += [(pillar.x_m, pillar.z_m) for pillar in scene.pillars]
    return max([8.0, *(float(np.hypot(x, z)) + 3.0 for x, z in places)])


def _light(normal: FloatArray, view: CameraView) -> FloatArray:
    """(H,) float32 brightness of surfaces with these normals: a sky above and a soft sun."""
    up = normal @ view.rotation[:, 1]
    sun = normal @ (view.rotation @ np.array(_LIGHT, np.float32))
    facing = -normal[:, 2]
    bright = _SKY * (0.7 + 0.3 * up) + _SUN * np.maximum(0.25 + 0.75 * sun, 0)
    edges_darker: FloatArray = bright * (0.75 + 0.25 * np.clip(2 * facing, 0, 1))
    return edges_darker


def _darken(
    rgb: NDArray[np.uint8], view: CameraView, x: float, z: float, radius: float, dark: float
) -> None:
    """A soft round shadow on the floor, in place."""
    corners = np.array([(x + i * radius, 0, z + j * radius) for i in (-1, 1) for j in (-1, 1)])
    in_view = view.to_camera(corners.astype(np.float32))
    if in_view[:, 2].min() < _NEAREST_SHADOW_M:
        return
    pixels = view.to_pixels(in_view)
    (left, top), (right, bottom) = np.floor(pixels.min(axis=0)), np.ceil(pixels.max(axis=0))
    columns = np.arange(max(left, 0), min(right + 1, view.width), dtype=np.int32)
    rows = np.arange(max(top, 0), min(bottom + 1, view.height), dtype=np.int32)
    if not len(columns) or not len(rows):
        return
    floor_x, floor_z = floor_places(view, columns, rows)
    away = ((floor_x - x) ** 2 + (floor_z - z) ** 2) / radius**2
    share = 1 - dark * np.maximum(1 - away, 0) ** 2
    patch = rgb[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    patch[:] = (patch * share[..., None]).astype(np.uint8)


def _nearest(hits: Hits, chosen: NDArray[np.int64], depth: FloatArray) -> NDArray[np.int32]:
    """(H * W,) int32: the nearest of the `chosen` hits in each pixel; `NO_HIT` where it is not
    nearer than `depth` (H * W,), which is brought up to date.
    """
    pixel = hits.pixel[chosen]
    np.minimum.at(depth, pixel, hits.depth[chosen])
    seen = hits.depth[chosen] <= depth[pixel]
    nearest = np.full(len(depth), NO_HIT, np.int32)
    nearest[pixel[seen]] = chosen[seen]
    return nearest


def _blend(flat: NDArray[np.uint8], hits: Hits, colours: FloatArray) -> None:
    """Lay `colours` (H, 3) over the picture (H * W, 3), each pixel by as much as is covered."""
    below = flat[hits.pixel].astype(np.float32)
    mixed = below + (colours - below) * hits.cover[:, None]
    flat[hits.pixel] = (mixed + np.float32(0.5)).astype(np.uint8)
