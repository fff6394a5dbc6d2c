// The picture: people drawn over the video, zoom and pan, and what the pointer does to them.
// @ts-check

/** @typedef {import("./poses.js").Pose} Pose */

// How far from a keypoint, in screen pixels, a click still means it.
const REACH = 9;
// A keypoint with a lower visibility is hidden: it is drawn hollow.
const VISIBLE = 0.5;
// Hues in degrees that differ for most eyes, used in turn; ids are written beside the people too.
const HUES = [205, 35, 330, 160, 55, 275, 15, 185];

// How light those hues are in the timeline, in percent, so that they stand out from its ground: text
// at 4.5 to 1, bars at 3 to 1.
export const LABEL_LIGHT = { light: 24, dark: 72 };
export const BAR_LIGHT = { light: 30, dark: 64 };

/** @param {number} track */
export const colour = (track, light = 62) => `hsl(${HUES[track % HUES.length]} 85% ${light}%)`;

/** @param {Pose} pose @returns {[number, number, number, number]} */
export function boxOf(pose) {
  const box = /** @type {[number, number, number, number]} */ ([1e9, 1e9, -1e9, -1e9]);
  for (let i = 0; i < pose.points.length; i += 3) {
    box[0] = Math.min(box[0], pose.points[i]);
    box[1] = Math.min(box[1], pose.points[i + 1]);
    box[2] = Math.max(box[2], pose.points[i]);
    box[3] = Math.max(box[3], pose.points[i + 1]);
  }
  return box;
}

export class Stage {
  /**
   * @param {HTMLElement} element @param {HTMLVideoElement} video @param {HTMLCanvasElement} canvas
   * @param {{click: (x: number, y: number, hit: {track: number, keypoint: number | null} | null) => void,
   *   boxed: (corners: number[][]) => void,
   *   moved: (track: number, keypoint: number, from: number[], to: number[], between: boolean) => void,
   *   picks: () => "point" | "person" | null}} acts what the next click picks, if anything
   */
  constructor(element, video, canvas, acts) {
    this.element = element;
    this.video = video;
    this.canvas = canvas;
    this.acts = acts;
    this.size = [16, 9];
    /** @type {number[][]} */
    this.edges = [];
    /** @type {Pose[]} */
    this.poses = [];
    /** @type {Map<number, string>} */
    this.names = new Map();
    /** @type {number | null} */
    this.selected = null;
    /** @type {number | null} */
    this.keypoint = null;
    /** @type {number[][]} */
    this.marks = []; // points that were clicked to add a person
    /** @type {number[][] | null} */
    this.box = null; // corners of the box that is drawn
    /** @type {number[] | null} */
    this.cursor = null; // the point that the arrow keys move
    this.zoom = 1;
    this.pan = [0, 0];
    // Its size is asked for once: the layout would be made anew at each question.
    this.view = [element.clientWidth, element.clientHeight];
    this.placed = ""; // where the video lies
    this.drags = false; // whether a keypoint is dragged
    new ResizeObserver(() => {
      this.view = [element.clientWidth, element.clientHeight];
      this.draw();
    }).observe(element);
    element.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
    element.addEventListener("pointerdown", (event) => this.#down(event));
    element.addEventListener("dblclick", () => this.fit());
  }

  /** Shows the whole picture. */
  fit() {
    this.zoom = 1;
    this.pan = [0, 0];
    this.draw();
  }

  /** @param {number} by @param {number} [x] @param {number} [y] screen pixels that stay */
  zoomBy(by, x = this.view[0] / 2, y = this.view[1] / 2) {
    const [px, py] = this.toPicture(x, y);
    this.zoom = Math.max(0.5, Math.min(40, this.zoom * by));
    const [sx, sy] = this.toScreen(px, py);
    this.pan = [this.pan[0] + x - sx, this.pan[1] + y - sy];
    this.draw();
  }

  /** Moves the picture by steps of a tenth of its height. @param {number} dx @param {number} dy */
  panBy(dx, dy) {
    const step = this.element.clientHeight / 10;
    this.pan = [this.pan[0] + dx * step, this.pan[1] + dy * step];
    this.draw();
  }

  /** Shows a person as large as fits. @param {Pose} pose */
  zoomTo(pose) {
    const [x0, y0, x1, y1] = boxOf(pose);
    const [width, height] = this.view;
    const whole = Math.min(width / this.size[0], height / this.size[1]);
    const wanted = 0.8 * Math.min(width / Math.max(x1 - x0, 1), height / Math.max(y1 - y0, 1));
    this.zoom = Math.max(1, Math.min(40, wanted / whole));
    this.pan = [0, 0];
    const [x, y] = this.toScreen((x0 + x1) / 2, (y0 + y1) / 2);
    this.pan = [width / 2 - x, height / 2 - y];
    this.draw();
  }

  get #scale() {
    const [width, height] = this.view;
    return Math.min(width / this.size[0], height / this.size[1]) * this.zoom;
  }

  /** @param {number} x @param {number} y @returns {[number, number]} */
  toScreen(x, y) {
    const [width, height] = this.view;
    const scale = this.#scale;
    return [
      (x - this.size[0] / 2) * scale + width / 2 + this.pan[0],
      (y - this.size[1] / 2) * scale + height / 2 + this.pan[1],
    ];
  }

  /** @param {number} x @param {number} y @returns {[number, number]} */
  toPicture(x, y) {
    const [width, height] = this.view;
    const scale = this.#scale;
    return [
      (x - width / 2 - this.pan[0]) / scale + this.size[0] / 2,
      (y - height / 2 - this.pan[1]) / scale + this.size[1] / 2,
    ];
  }

  /** What lies at a place on the screen. @param {number} x @param {number} y */
  hit(x, y) {
    const own = this.poses.filter((pose) => pose.track === this.selected);
    let best = null;
    let reach = REACH;
    for (const pose of own) {
      for (let k = 0; k < pose.points.length / 3; k++) {
        const [sx, sy] = this.toScreen(pose.points[3 * k], pose.points[3 * k + 1]);
        const far = Math.hypot(sx - x, sy - y);
        if (far < reach) [best, reach] = [{ track: pose.track, keypoint: k }, far];
      }
    }
    if (best) return best;
    const [px, py] = this.toPicture(x, y);
    /** @type {{track: number, keypoint: number | null} | null} */
    let found = null;
    let area = Infinity;
    for (const pose of this.poses) {
      const [x0, y0, x1, y1] = boxOf(pose);
      const inside = px >= x0 && px <= x1 && py >= y0 && py <= y1;
      const own_area = (x1 - x0) * (y1 - y0);
      if (inside && own_area < area) [found, area] = [{ track: pose.track, keypoint: null }, own_area];
    }
    return found;
  }

  /** @param {WheelEvent} event */
  #wheel(event) {
    event.preventDefault();
    const { left, top } = this.element.getBoundingClientRect();
    this.zoomBy(2 ** (-event.deltaY / 400), event.clientX - left, event.clientY - top);
  }

  /**
   * A press selects or picks where it is let go; a drag moves a keypoint, draws a box, or moves the
   * picture.
   * @param {PointerEvent} event
   */
  #down(event) {
    if (event.button > 1) return;
    const { left, top } = this.element.getBoundingClientRect();
    const [x, y] = [event.clientX - left, event.clientY - top];
    const [px, py] = this.toPicture(x, y);
    const hit = event.button === 0 ? this.hit(x, y) : null;
    const picks = event.button === 0 ? this.acts.picks() : null;
    const drags = picks === null ? this.#keypointDrag(hit) : null;
    this.drags = drags !== null;
    const start = this.pan;
    let moved = false;
    const move = (/** @type {PointerEvent} */ now) => {
      const [dx, dy] = [now.clientX - event.clientX, now.clientY - event.clientY];
      moved ||= Math.hypot(dx, dy) > 3;
      if (!moved) return;
      if (drags) drags.move(dx, dy);
      else if (picks === "point") this.box = [[px, py], this.toPicture(x + dx, y + dy)];
      else this.pan = [start[0] + dx, start[1] + dy];
      this.draw();
    };
    const end = () => {
      this.drags = false;
      this.element.removeEventListener("pointermove", move);
      this.element.removeEventListener("pointerup", up);
      this.element.removeEventListener("pointercancel", end);
    };
    const up = (/** @type {PointerEvent} */ now) => {
      end();
      const box = this.box;
      this.box = null;
      if (!moved) this.acts.click(px, py, hit);
      else if (drags) drags.end(now.shiftKey);
      else if (box) this.acts.boxed(box);
    };
    this.element.setPointerCapture(event.pointerId);
    this.element.addEventListener("pointermove", move);
    this.element.addEventListener("pointerup", up);
    this.element.addEventListener("pointercancel", end);
  }

  /**
   * What a drag does to a keypoint of the selected person; null where there is none.
   * @param {{track: number, keypoint: number | null} | null} hit
   */
  #keypointDrag(hit) {
    const pose = this.poses.find((one) => one.track === hit?.track);
    if (!hit || hit.keypoint === null || !pose) return null;
    const place = hit.keypoint;
    const at = () => [...pose.points.slice(3 * place, 3 * place + 2)];
    const from = at();
    this.keypoint = place;
    this.draw();
    return {
      /** @param {number} dx @param {number} dy */
      move: (dx, dy) => pose.points.set([from[0] + dx / this.#scale, from[1] + dy / this.#scale], 3 * place),
      /** @param {boolean} between */
      end: (between) => this.acts.moved(pose.track, place, from, at(), between),
    };
  }

  draw() {
    const ratio = window.devicePixelRatio || 1;
    const [width, height] = this.view;
    const scale = this.#scale;
    const [left, top] = this.toScreen(0, 0);
    const place = `left: ${left}px; top: ${top}px; width: ${this.size[0] * scale}px; height: ${this.size[1] * scale}px`;
    if (place !== this.placed) this.video.style.cssText = this.placed = place;
    if (this.canvas.width !== width * ratio || this.canvas.height !== height * ratio) {
      [this.canvas.width, this.canvas.height] = [width * ratio, height * ratio];
    }
    const pen = /** @type {CanvasRenderingContext2D} */ (this.canvas.getContext("2d"));
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, width, height);
    const order = [...this.poses].sort((a) => (a.track === this.selected ? 1 : -1));
    for (const pose of order) this.#pose(pen, pose);
    pen.fillStyle = pen.strokeStyle = "#fff";
    for (const [x, y] of this.marks) {
      const [sx, sy] = this.toScreen(x, y);
      pen.strokeRect(sx - 5, sy - 5, 10, 10);
    }
    this.#pointing(pen, width, height);
  }

  /** The box that is drawn, and the cross that the arrow keys move. @param {CanvasRenderingContext2D} pen @param {number} width @param {number} height */
  #pointing(pen, width, height) {
    pen.lineWidth = 1.5;
    if (this.box) {
      const [[x0, y0], [x1, y1]] = this.box.map(([x, y]) => this.toScreen(x, y));
      pen.strokeRect(x0, y0, x1 - x0, y1 - y0);
    }
    if (this.cursor) {
      const [x, y] = this.toScreen(this.cursor[0], this.cursor[1]);
      pen.fillRect(x - 0.75, 0, 1.5, height);
      pen.fillRect(0, y - 0.75, width, 1.5);
    }
  }

  /** @param {CanvasRenderingContext2D} pen @param {Pose} pose */
  #pose(pen, pose) {
    const chosen = pose.track === this.selected;
    const dim = this.selected !== null && !chosen;
    const at = (/** @type {number} */ k) =>
      this.toScreen(pose.points[3 * k], pose.points[3 * k + 1]);
    const seen = (/** @type {number} */ k) => pose.points[3 * k + 2] >= VISIBLE;
    pen.globalAlpha = dim ? 0.55 : 1;
    pen.lineCap = "round";
    for (const [wide, style] of /** @type {[number, string][]} */ ([
      [chosen ? 6 : 4, "rgb(0 0 0 / 55%)"],
      [chosen ? 3 : 1.8, colour(pose.track)],
    ])) {
      pen.lineWidth = wide;
      pen.strokeStyle = style;
      for (const [a, b] of this.edges) {
        pen.setLineDash(pose.filled || !seen(a) || !seen(b) ? [3, 6] : []);
        pen.beginPath();
        pen.moveTo(.../** @type {[number, number]} */ (at(a)));
        pen.lineTo(.../** @type {[number, number]} */ (at(b)));
        pen.stroke();
      }
    }
    pen.setLineDash([]);
    const radius = chosen ? 4 : 2.2;
    for (let k = 0; k < pose.points.length / 3; k++) {
      const [x, y] = at(k);
      const marked = chosen && k === this.keypoint;
      pen.beginPath();
      pen.arc(x, y, marked ? radius + 3 : radius, 0, 7);
      pen.fillStyle = seen(k) ? colour(pose.track, 75) : "rgb(0 0 0 / 70%)";
      pen.strokeStyle = marked ? "#fff" : seen(k) ? "rgb(0 0 0 / 70%)" : colour(pose.track);
      pen.lineWidth = marked ? 2.5 : 1.2;
      pen.fill();
      pen.stroke();
    }
    this.#label(pen, pose, chosen);
    pen.globalAlpha = 1;
  }

  /** @param {CanvasRenderingContext2D} pen @param {Pose} pose @param {boolean} chosen */
  #label(pen, pose, chosen) {
    const [x0, y0, x1] = boxOf(pose);
    const [x, y] = this.toScreen((x0 + x1) / 2, y0);
    const name = this.names.get(pose.track);
    const text = `${pose.track}${name ? ` ${name}` : ""}${pose.filled ? " (filled in)" : ""}`;
    pen.font = `${chosen ? 600 : 500} 13px system-ui, sans-serif`;
    const wide = pen.measureText(text).width + 12;
    const top = Math.max(2, y - 30);
    pen.fillStyle = chosen ? colour(pose.track, 75) : "rgb(12 14 18 / 80%)";
    pen.beginPath();
    pen.roundRect(x - wide / 2, top, wide, 20, 5);
    pen.fill();
    pen.fillStyle = chosen ? "#10131a" : colour(pose.track, 78);
    pen.textAlign = "center";
    pen.textBaseline = "middle";
    pen.fillText(text, x, top + 10.5);
  }
}
