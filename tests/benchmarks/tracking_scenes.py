"""The scenes of `tests.benchmarks.tracking`: who walks where, and the camera."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from annotate.synthetic import (
    Camera,
    CameraKey,
    Pillar,
    Scene,
    ScenePerson,
    WayPoint,
    steady_times,
    uneven_times,
)

WIDTH, HEIGHT, SECONDS = 1280, 720, 8.0
FOCAL = 1.4


@dataclass(frozen=True)
class Case:
    """A scene of the benchmark.

    Attributes:
        name: what happens, and how many people there are.
        scene: itself.
    """

    name: str
    scene: Scene


def cases() -> tuple[Case, ...]:
    """All of them."""
    return (
        Case("2 cross", _crossing(2, 30, seed=1)),
        Case("3 cross, 60 fps", _crossing(3, 60, seed=2)),
        Case("4 cross, VFR", _crossing(4, 0, seed=3)),
        Case("6 cross", _crossing(6, 30, seed=4)),
        Case("8 cross", _crossing(8, 30, seed=5)),
        Case("5 cross at all angles", _scattered(5, seed=6)),
        Case("2 behind pillars", _pillars(2, 30, seed=7)),
        Case("4 behind pillars, 60 fps", _pillars(4, 60, seed=8)),
        Case("3 behind pillars, VFR", _pillars(3, 0, seed=9)),
        Case("2 meet and turn back", _turning_back(seed=10)),
        Case("2 side by side, 1 against them", _side_by_side(seed=11)),
        Case("3 come and go in depth", _in_depth(seed=12)),
        Case("2 leave for 1.5 s and come back", _leaving(1.5, 30, seed=13)),
        Case("2 leave for 4 s and come back, VFR", _leaving(4.0, 0, seed=14)),
        Case("3 cross, camera pans", _crossing(3, 30, seed=15, keys=_PAN)),
        Case("4 cross, camera zooms", _crossing(4, 30, seed=16, keys=_ZOOM)),
        Case("3 cross, camera pans and zooms, 60 fps", _crossing(3, 60, seed=17, keys=_BOTH)),
    )


def scene_set(number: int) -> tuple[Case, ...]:
    """The same kinds of scenes with other people, paths, colours and rooms.

    Args:
        number: from 1 on: of a set of scenes; 0 are `cases` themselves.
    """
    if not number:
        return cases()
    return tuple(Case(case.name, _other(case.scene, 1000 * number)) for case in cases())


def _other(scene: Scene, more: int) -> Scene:
    random = np.random.default_rng(more + scene.seed)
    people = []
    for person in scene.people:
        x, z = random.uniform(-0.4, 0.4), random.uniform(-0.3, 0.5)
        path = tuple(at._replace(x_m=at.x_m + x, z_m=at.z_m + z) for at in person.path)
        people.append(replace(person, path=path, stature_m=random.uniform(1.58, 1.88)))
    return replace(scene, people=tuple(people), seed=more + scene.seed)


_PAN = (CameraKey(0, -12), CameraKey(4, 12), CameraKey(8, -6))
_ZOOM = (CameraKey(0), CameraKey(4, zoom=1.5), CameraKey(8, zoom=0.9))
_BOTH = (CameraKey(0, -8, 2), CameraKey(3, 8, 4, 1.3), CameraKey(8, -6, 0, 1.0))
_STATURES = (1.78, 1.66, 1.86, 1.72, 1.6, 1.82, 1.69, 1.75)


def _scene(
    paths: Sequence[tuple[WayPoint, ...]],
    fps: int,
    seed: int,
    keys: tuple[CameraKey, ...] = (CameraKey(0.0),),
    pillars: tuple[Pillar, ...] = (),
) -> Scene:
    """With `fps` 0, the frame rate varies about 30."""
    times = steady_times(fps, SECONDS) if fps else uneven_times(30, SECONDS, seed)
    people = tuple(ScenePerson(path, _STATURES[n % 8]) for n, path in enumerate(paths))
    camera = Camera(height_m=1.5, focal=FOCAL, keys=keys)
    return Scene(WIDTH, HEIGHT, times, people, pillars, camera, seed)


def _edge(z: float, share: float = 1.0) -> float:
    """x at distance z where the picture ends, or a share of the way there."""
    return share * 0.5 * WIDTH / (FOCAL * HEIGHT) * z


def _line(z: float, start: float, stop: float) -> tuple[WayPoint, ...]:
    """Across the picture, from one share of the half width to another."""
    return WayPoint(0, _edge(z, start), z), WayPoint(SECONDS, _edge(z, stop), z)


def _crossing(
    count: int, fps: int, seed: int, keys: tuple[CameraKey, ...] = (CameraKey(0.0),)
) -> Scene:
    """Half of them go each way, one after the other, each at another distance and pace."""
    paths = []
    for number in range(count):
        side = -1 if number % 2 == 0 else 1
        start = 0.75 + 0.55 * (number // 2)
        paths.append(_line(4.4 + 0.5 * number, side * start, side * (start - 1.6 - 0.1 * number)))
    return _scene(paths, fps, seed, keys)


def _scattered(count: int, seed: int) -> Scene:
    """Each from one place of a circle through its middle to the opposite one, in turn."""
    places = ((-2.2, 4.4), (2.3, 5.2), (-1.9, 7.6), (1.6, 8.0), (0.2, 4.0))
    paths = []
    for number in range(count):
        x, z = places[number]
        begin = 0.7 * number
        paths.append((WayPoint(begin, x, z), WayPoint(begin + 5, -0.9 * x, 12 - z)))
    return _scene(paths, 30, seed)


def _pillars(count: int, fps: int, seed: int) -> Scene:
    """Walkers behind a row of pillars, each of which hides a person for about half a second."""
    paths = []
    for number in range(count):
        side = -1 if number % 2 == 0 else 1
        start = 0.85 + 0.5 * (number // 2)
        paths.append(_line(5.4 + 0.5 * number, side * start, side * (start - 1.9)))
    pillars = tuple(Pillar(x, 4.6, radius_m=0.25) for x in (-1.4, 0.2, 1.6))
    return _scene(paths, fps, seed, pillars=pillars)


def _turning_back(seed: int) -> Scene:
    """They walk up to each other, stand face to face, turn and go back where they came from."""
    paths = [
        tuple(WayPoint(t, side * x, z) for t, x in ((0, 2.2), (3, 0.3), (4.5, 0.3), (8, 2.4)))
        for side, z in ((-1, 4.8), (1, 5.1))
    ]
    return _scene(paths, 30, seed)


def _side_by_side(seed: int) -> Scene:
    paths = [_line(4.6, -0.85, 0.55), _line(5.4, -0.55, 0.75), _line(6.2, 0.8, -0.7)]
    return _scene(paths, 30, seed)


def _in_depth(seed: int) -> Scene:
    """Two swap between near and far, and a third crosses between them."""
    paths = [
        (WayPoint(0, -0.7, 8.5), WayPoint(8, -0.3, 4.2)),
        (WayPoint(0, 0.5, 4.0), WayPoint(8, 0.6, 8.5)),
        _line(6.2, -0.8, 0.8),
    ]
    return _scene(paths, 30, seed)


def _leaving(away_s: float, fps: int, seed: int) -> Scene:
    """One goes out of the picture, on each side, and comes back at the same place."""
    paths = []
    for side, z, speed in ((-1, 4.8, 1.3), (1, 5.6, 1.2)):
        edge = _edge(z) + 0.25
        turn = 2.2 + away_s / 2
        out = edge + speed * away_s / 2
        back = (WayPoint(0, side * (out - speed * turn), z), WayPoint(turn, side * out, z))
        paths.append((*back, WayPoint(SECONDS, side * (out - speed * (SECONDS - turn)), z)))
    return _scene([*paths, _line(6.6, -0.5, 0.5)], fps, seed)
