"""The renderer's geometry: rays against solids, the camera, and how bodies walk."""

import numpy as np
import pytest

from annotate.domain.arrays import FloatArray
from annotate.synthetic.backdrop import floor_places
from annotate.synthetic.body import SIDES, Body, body
from annotate.synthetic.camera import Camera, CameraKey, CameraView, views
from annotate.synthetic.raster import CENTRE, Solids, cast, normals
from annotate.synthetic.scene import ScenePerson, WayPoint, steady_times, uneven_times
from annotate.synthetic.walk import Walk, walk

WIDTH, HEIGHT = 64, 48
VIEW = views(Camera(height_m=0.0), np.zeros(1), WIDTH, HEIGHT)[0]
WITHIN_M = 2e-3  # of depth: 200 balls are not a smooth solid


# Rays against solids


def solid(
    start: tuple[float, float, float],
    end: tuple[float, float, float],
    radii: tuple[float, float],
    axis: tuple[float, float, float] = (1.0, 0.0, 0.0),
    flat: float = 1.0,
) -> Solids:
    along = np.array([axis]) / np.linalg.norm(axis)
    columns = ([start], [end], [radii], along, [flat])
    return Solids(*(np.array(column, np.float32) for column in columns))


def depth_of_many_balls(one: Solids) -> np.ndarray:
    """(H, W) float64: the nearest hit on 200 balls swept from start to end; infinite at misses."""
    x, y = np.meshgrid(np.arange(WIDTH), np.arange(HEIGHT))
    rays = np.stack([x - (WIDTH - 1) / 2, y - (HEIGHT - 1) / 2], axis=-1) / VIEW.focal_px
    rays = np.concatenate([rays, np.ones((HEIGHT, WIDTH, 1))], axis=-1)
    axis = one.axis[0].astype(np.float64)
    flatten = np.eye(3) + (one.flat[0] - 1) * np.outer(axis, axis)
    rays = rays @ flatten
    nearest = np.full((HEIGHT, WIDTH), np.inf)
    for share in np.linspace(0, 1, 200):
        centre = flatten @ (one.start[0] + share * (one.end[0] - one.start[0]))
        radius = one.radii[0, 0] + share * (one.radii[0, 1] - one.radii[0, 0])
        along = rays @ centre
        square = (rays**2).sum(axis=-1)
        root = along**2 - square * (centre @ centre - radius**2)
        depth = (along - np.sqrt(np.maximum(root, 0))) / square
        nearest = np.where(root >= 0, np.minimum(nearest, depth), nearest)
    return nearest


@pytest.mark.parametrize(
    "one",
    [
        solid((0, 0, 5), (0, 0, 5), (0.8, 0.8)),
        solid((-1, -0.5, 5), (1, 0.6, 5.5), (0.4, 0.4)),
        solid((-1, 0.3, 4.5), (0.8, -0.6, 6), (0.2, 0.7)),
        solid((-0.4, 0, 5), (0.7, 0.2, 5), (0.6, 0.4), axis=(0.2, 0.3, 1), flat=1.6),
        solid((0.3, -0.4, 5), (0.3, -0.4, 5), (0.9, 0.9), axis=(1, 0, 0.2), flat=2.0),
        solid((0.1, 0.1, 4), (0.5, 0.6, 9), (0.5, 0.5)),
        solid((1.4, 1.1, 5), (2.5, 1.6, 5), (0.6, 0.3)),
    ],
    ids=[
        "a ball",
        "a capsule",
        "a tapered capsule, oblique",
        "flattened towards the viewer",
        "a flattened ball",
        "a capsule seen nearly end on",
        "half outside the picture",
    ],
)
def test_rays_hit_a_solid_where_they_hit_its_many_balls(one: Solids) -> None:
    expected = depth_of_many_balls(one)
    hits = cast(one, VIEW)
    depth = np.full((HEIGHT, WIDTH), np.inf)
    centre = hits.cover >= CENTRE
    depth.reshape(-1)[hits.pixel[centre]] = hits.depth[centre]
    both = np.isfinite(expected) & np.isfinite(depth)
    assert both.sum() > 100
    # At the rim a ray may graze the solid between two balls.
    assert (np.isfinite(expected) != np.isfinite(depth)).sum() <= 0.02 * both.sum()
    cover = np.zeros((HEIGHT, WIDTH))
    cover.reshape(-1)[hits.pixel] = hits.cover
    inner = both & (cover == 1)
    assert np.abs(expected[inner] - depth[inner]).max() < WITHIN_M


def test_a_cone_seen_from_its_tip_is_as_large_as_its_larger_ball() -> None:
    seen_from_tip = cast(solid((0, 0, 4), (0, 0, 5), (0.1, 0.7)), VIEW)
    large_ball = cast(solid((0, 0, 5), (0, 0, 5), (0.7, 0.7)), VIEW)
    assert set(large_ball.pixel) <= set(seen_from_tip.pixel)


@pytest.mark.parametrize("flat", [1.0, 2.0], ids=["a ball", "an ellipsoid"])
def test_normals_are_square_to_the_surface(flat: float) -> None:
    centre, radius = (0.2, 0.1, 5), 0.8
    one = solid(centre, centre, (radius, radius), flat=flat)
    hits = cast(one, VIEW)
    row, column = np.divmod(hits.pixel, WIDTH)
    rays = np.stack([VIEW.columns(column), VIEW.rows(row), np.ones(len(row))], axis=1)
    # The gradient of (flat x)^2 + y^2 + z^2 about the centre.
    gradient = (rays * hits.depth[:, None] - centre) * (flat**2, 1, 1)
    gradient /= np.linalg.norm(gradient, axis=1, keepdims=True)
    inner = hits.cover == 1
    np.testing.assert_allclose(normals(one, VIEW, hits)[inner], gradient[inner], atol=2e-3)


@pytest.mark.parametrize("flat", [1.0, 2.0])
def test_covered_parts_of_pixels_add_up_to_the_area(flat: float) -> None:
    radius, distance = 0.6, 6.0
    hits = cast(solid((0, 0, distance), (0, 0, distance), (radius, radius), flat=flat), VIEW)
    # An ellipse; perspective enlarges a ball a little.
    area = np.pi * radius**2 / flat * (VIEW.focal_px / distance) ** 2
    assert hits.cover.sum() == pytest.approx(area, rel=0.02)


@pytest.mark.parametrize("flat", [1.0, 2.5])
def test_an_edge_moves_by_less_than_a_pixel_at_a_time(flat: float) -> None:
    distance, radius = 6.0, 1.0
    pixel_m = distance / VIEW.focal_px
    widths = []
    for shift in np.linspace(0, 1, 9):
        centre = (shift * pixel_m, pixel_m / 2, distance)
        hits = cast(solid(centre, centre, (radius, radius), flat=flat), VIEW)
        widths.append(hits.cover[hits.pixel // WIDTH == HEIGHT // 2].sum())
    np.testing.assert_allclose(widths, 2 * radius / flat / pixel_m, rtol=0.02)


@pytest.mark.parametrize("z", [-5.0, 0.1], ids=["behind the lens", "on the lens"])
def test_what_is_too_near_is_not_drawn(z: float) -> None:
    assert len(cast(solid((0, 0, z), (0, 0, z), (0.5, 0.5)), VIEW).pixel) == 0


# The camera


def pixel_of(point: tuple[float, float, float], key: CameraKey) -> FloatArray:
    camera = Camera(height_m=1.5, focal=1.0, keys=(key,))
    view = views(camera, np.zeros(1), 201, 101)[0]
    pixel: FloatArray = view.to_pixels(view.to_camera(np.array([point], np.float32)))[0]
    return pixel


def test_what_is_straight_ahead_is_in_the_middle() -> None:
    np.testing.assert_allclose(pixel_of((0, 1.5, 7), CameraKey(0)), (100, 50), atol=1e-4)


def test_right_and_up_in_the_world_are_right_and_up_in_the_picture() -> None:
    x, y = pixel_of((1, 2.0, 10), CameraKey(0))
    np.testing.assert_allclose((x, y), (100 + 10.1, 50 - 5.05), atol=1e-3)


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        (CameraKey(0, pan_deg=10), (-np.tan(np.radians(10)) * 101, 0)),
        (CameraKey(0, tilt_deg=10), (0, -np.tan(np.radians(10)) * 101)),
    ],
    ids=["panned right, it moves left", "tilted down, it moves up"],
)
def test_turning_the_camera_moves_what_was_ahead(
    key: CameraKey, expected: tuple[float, float]
) -> None:
    moved = pixel_of((0, 1.5, 7), key) - (100, 50)
    np.testing.assert_allclose(moved, expected, atol=1e-3)


def test_a_camera_that_pans_and_tilts_points_where_it_says() -> None:
    pan, tilt = np.radians(25), np.radians(-12)
    ahead = np.array([np.sin(pan) * np.cos(tilt), -np.sin(tilt), np.cos(pan) * np.cos(tilt)])
    x, y, z = (7 * ahead + (0, 1.5, 0)).tolist()
    np.testing.assert_allclose(
        pixel_of((x, y, z), CameraKey(0, pan_deg=25, tilt_deg=-12)), (100, 50), atol=1e-3
    )


def test_the_floor_is_seen_where_it_is() -> None:
    key = CameraKey(0, pan_deg=20, tilt_deg=8, zoom=1.3)
    view = views(Camera(keys=(key,)), np.zeros(1), 100, 60)[0]
    x, y = np.arange(0, 100, 9, dtype=np.int32), np.arange(40, 60, 3, dtype=np.int32)
    floor_x, floor_z = floor_places(view, x, y)
    points = np.stack([floor_x, np.zeros_like(floor_x), floor_z], axis=-1)
    pixels = view.to_pixels(view.to_camera(points))
    np.testing.assert_allclose(pixels[..., 0], np.broadcast_to(x, floor_x.shape), atol=0.01)
    np.testing.assert_allclose(
        pixels[..., 1], np.broadcast_to(y[:, None], floor_x.shape), atol=0.01
    )


def test_zoom_enlarges_about_the_middle() -> None:
    plain, zoomed = (pixel_of((1, 1, 9), CameraKey(0, zoom=zoom)) for zoom in (1.0, 2.5))
    np.testing.assert_allclose(zoomed - (100, 50), 2.5 * (plain - (100, 50)), atol=1e-3)


def test_the_camera_moves_steadily_between_keys_and_rests_outside() -> None:
    keys = (CameraKey(1, pan_deg=0, zoom=1), CameraKey(3, pan_deg=20, zoom=2))
    times = np.array([0, 1, 2, 3, 9.0])
    shown = views(Camera(focal=1.0, keys=keys), times, 64, 100)
    assert [round(view.focal_px) for view in shown] == [100, 100, 150, 200, 200]
    pans = [np.degrees(np.arctan2(view.rotation[2, 0], view.rotation[2, 2])) for view in shown]
    np.testing.assert_allclose(pans, [0, 0, 10, 20, 20], atol=1e-4)


def test_nothing_behind_the_camera_has_a_place_in_the_picture() -> None:
    view: CameraView = views(Camera(), np.zeros(1), 64, 48)[0]
    assert np.isnan(view.to_pixels(np.array([[0, 0, -1]], np.float32))).all()


# Walking

TIMES = np.arange(0, 6, 0.02)


def walked(*path: tuple[float, float, float], stature_m: float = 1.75) -> tuple[Walk, Body]:
    person = ScenePerson(tuple(WayPoint(*point) for point in path), stature_m=stature_m)
    going = walk(person, TIMES)
    return going, body(going, TIMES, stature_m, waving=False)


def test_a_person_stands_before_the_first_and_after_the_last_way_point() -> None:
    going, _ = walked((2, -1, 5), (4, 1, 5))
    standing = (TIMES < 1.7) | (TIMES > 4.3)
    assert np.ptp(going.floor[TIMES < 1.7], axis=0).max() < 1e-9
    assert np.ptp(going.floor[TIMES > 4.3], axis=0).max() < 1e-9
    assert going.effort[standing].max() < 1e-9
    np.testing.assert_allclose(going.floor[TIMES == 3.0], [[0, 5]], atol=1e-9)


@pytest.mark.parametrize(
    ("stop", "degrees"),
    [((0, 2), 0), ((3, 5), 90), ((0, 8), 180), ((-3, 5), -90)],
    ids=["to the camera", "to the right", "away", "to the left"],
)
def test_people_look_where_they_go(stop: tuple[float, float], degrees: float) -> None:
    _, figure = walked((0, 0, 5), (6, *stop))
    middle = len(TIMES) // 2
    nose = figure.points["nose"][middle] - figure.points["skull"][middle]
    assert np.degrees(np.arctan2(nose[0], -nose[2])) == pytest.approx(degrees, abs=1)


def test_a_turn_takes_time_and_goes_the_short_way() -> None:
    going, _ = walked((0, -1, 5), (3, 1, 5), (6, 1, 8))
    steps = np.diff(going.heading)
    assert np.abs(steps).max() < np.radians(10)
    assert np.degrees(going.heading[-1] - going.heading[0]) == pytest.approx(90, abs=2)


def test_a_person_facing_the_camera_has_the_left_side_at_the_picture_s_right() -> None:
    _, figure = walked((0, 0, 5), (6, 0, 3))
    for part in ("shoulder", "hip", "ear", "eye"):
        assert (figure.points[f"left_{part}"][:, 0] > figure.points[f"right_{part}"][:, 0]).all()


BONES = [
    (f"{side}_{first}", f"{side}_{second}")
    for side, *_ in SIDES
    for first, second in (
        ("hip", "knee"),
        ("knee", "ankle"),
        ("shoulder", "elbow"),
        ("elbow", "wrist"),
        ("heel", "toe"),
    )
]


def test_bones_keep_their_length() -> None:
    _, figure = walked((0, -2, 5), (3, 1, 6), (6, 0, 3))
    for first, second in BONES:
        length = np.linalg.norm(figure.points[first] - figure.points[second], axis=1)
        assert np.ptp(length) < 1e-4, (first, second)


def test_one_foot_is_on_the_floor_and_none_below() -> None:
    _, figure = walked((0, -3, 5), (6, 3, 5))
    soles = [figure.points[f"{side}_{end}"][:, 1] for side, *_ in SIDES for end in ("heel", "toe")]
    lowest = np.min(soles, axis=0) - 0.016 * 1.75
    assert np.abs(lowest).max() < 0.015


def test_the_foot_on_the_floor_hardly_slides() -> None:
    _, figure = walked((0, -3.5, 5), (6, 3.5, 5))
    brisk = (TIMES > 1) & (TIMES < 5)
    balls = np.stack([figure.points[f"{side}_ball"] for side, *_ in SIDES])
    speed = np.abs(np.gradient(balls[:, :, 0], 0.02, axis=1))
    lower = np.argmin(balls[:, :, 1], axis=0)
    walking_speed = 7 / 6
    assert np.median(speed[lower, np.arange(len(TIMES))][brisk]) < 0.2 * walking_speed


def test_people_are_as_tall_as_they_are_said_to_be() -> None:
    _, figure = walked((0, 0, 5), stature_m=1.6)
    top = figure.points["hair"][0, 1] + 0.0614 * 1.6
    assert top == pytest.approx(1.6, rel=0.02)


# Times


def test_steady_times_are_those_of_the_frame_rate() -> None:
    assert steady_times(25, 2) == tuple(n / 25 for n in range(50))


def test_uneven_times_keep_the_mean_rate_and_the_order() -> None:
    times = np.array(uneven_times(30, 10, seed=1))
    steps = np.diff(times)
    assert len(times) == 300
    assert times[0] == 0
    assert steps.min() > 0.4 / 30
    assert steps.max() > 1.4 / 30
    assert times[-1] == pytest.approx(10, rel=0.05)
    assert uneven_times(30, 10, seed=1) == tuple(times)
