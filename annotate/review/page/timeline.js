// The timeline: a lane a track, as high as its poses are sure, with gaps and places to check. Only the
// lanes that are in sight are drawn, so that hundreds cost no more than ten.
// @ts-check
import { BAR_LIGHT, colour, LABEL_LIGHT } from "./stage.js";
import { hatch } from "./unseen.js";

/** @typedef {import("./panels.js").Doubt} Doubt */
/** @typedef {{id: number, name: string, first: number, last: number}} Lane */

const LANE = 20;
const RULER = 22;
const LABEL = 92;

export class Timeline {
  /**
   * @param {HTMLElement} element that scrolls @param {HTMLCanvasElement} canvas that stays in sight
   * @param {HTMLElement} space as high as all lanes @param {HTMLElement} head marks the shown frame
   * @param {{seek: (frame: number) => void, select: (track: number) => void,
   *   mark: (range: [number, number] | null) => void}} acts
   */
  constructor(element, canvas, space, head, acts) {
    this.element = element;
    this.canvas = canvas;
    this.space = space;
    this.head = head;
    this.wide = element.clientWidth; // asked for when all is drawn: the layout would be made anew at each step
    this.acts = acts;
    this.frames = 1;
    this.from = 0;
    this.to = 1;
    /** @type {Lane[]} */
    this.tracks = [];
    /** @type {import("./poses.js").Outline | null} */
    this.outline = null;
    /** @type {number[][]} */
    this.reviewed = [];
    /** @type {import("./unseen.js").Unseen[]} */
    this.unseen = [];
    /** @type {Doubt[]} */
    this.doubts = [];
    /** @type {[number, number] | null} */
    this.range = null;
    /** @type {number | null} */
    this.selected = null;
    this.frame = 0;
    this.first = 0; // of the frames that were annotated
    this.end = 1;
    new ResizeObserver(() => this.renew()).observe(element);
    element.addEventListener("scroll", () => this.renew());
    canvas.addEventListener("pointerdown", (event) => this.#down(event));
    canvas.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
  }

  /** @param {number} frames @param {Uint8Array} annotated of each frame, whether it was annotated */
  reset(frames, annotated) {
    [this.frames, this.from, this.to] = [frames, 0, Math.max(frames, 1)];
    this.outline = null;
    this.first = Math.max(0, annotated.indexOf(1));
    this.end = annotated.lastIndexOf(1) + 1;
    this.element.scrollTop = 0;
    this.renew();
  }

  get #width() {
    return Math.max(50, this.wide - LABEL - 12);
  }

  /** @param {number} frame */
  #x(frame) {
    return LABEL + ((frame - this.from) / (this.to - this.from)) * this.#width;
  }

  /** @param {number} x */
  #frameAt(x) {
    const frame = this.from + ((x - LABEL) / this.#width) * (this.to - this.from);
    return Math.max(0, Math.min(this.frames - 1, Math.floor(frame)));
  }

  /** A press goes to a frame, and a drag through frames; with Shift, it marks a range. @param {PointerEvent} event */
  #down(event) {
    const lane = Math.floor((event.offsetY - RULER + this.element.scrollTop) / LANE);
    if (event.offsetY >= RULER && lane < this.tracks.length) this.acts.select(this.tracks[lane].id);
    if (event.offsetX < LABEL) return;
    const left = this.canvas.getBoundingClientRect().left;
    const first = this.#frameAt(event.clientX - left);
    const go = (/** @type {PointerEvent} */ now) => {
      const frame = this.#frameAt(now.clientX - left);
      if (event.shiftKey) this.acts.mark([Math.min(first, frame), Math.max(first, frame)]);
      this.acts.seek(frame);
    };
    go(event);
    this.canvas.setPointerCapture(event.pointerId);
    this.canvas.addEventListener("pointermove", go);
    const end = () => this.canvas.removeEventListener("pointermove", go);
    this.canvas.addEventListener("pointerup", end, { once: true });
  }

  /** Zooms with Ctrl, else the lanes scroll. @param {WheelEvent} event */
  #wheel(event) {
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    this.zoomBy(2 ** (event.deltaY / 300), this.#frameAt(event.offsetX));
  }

  /** @param {number} by @param {number} about a frame that stays where it is */
  zoomBy(by, about = this.frame) {
    const length = Math.min(Math.max(1, this.frames), Math.max(20, (this.to - this.from) * by));
    const share = (about - this.from) / (this.to - this.from);
    this.from = Math.max(0, Math.min(this.frames - length, about - share * length));
    this.to = this.from + length;
    this.renew();
  }

  /** @param {number} frame */
  show(frame) {
    this.frame = frame;
    const length = this.to - this.from;
    if (frame < this.from || frame >= this.to) {
      this.from = Math.max(0, Math.min(this.frames - length, frame - length / 2));
      this.to = this.from + length;
      this.renew();
    } else this.#place();
  }

  /** Marks the shown frame. */
  #place() {
    this.head.style.transform = `translateX(${this.#x(this.frame + 0.5).toFixed(1)}px)`;
  }

  /** Scrolls to the lane of the selected track. */
  reveal() {
    const lane = this.tracks.findIndex((track) => track.id === this.selected);
    if (lane < 0) return;
    const [top, bottom] = [lane * LANE, (lane + 1) * LANE + RULER + 4];
    const { scrollTop, clientHeight } = this.element;
    if (top < scrollTop) this.element.scrollTop = top;
    else if (bottom > scrollTop + clientHeight) this.element.scrollTop = bottom - clientHeight;
  }

  /** Draws all again, after an edit or another size. */
  renew() {
    const ratio = window.devicePixelRatio || 1;
    const whole = RULER + Math.max(1, this.tracks.length) * LANE + 4;
    if (this.space.style.height !== `${whole}px`) this.space.style.height = `${whole}px`;
    const width = (this.wide = this.element.clientWidth);
    const height = Math.max(1, Math.min(whole, this.element.clientHeight || whole));
    [this.canvas.width, this.canvas.height] = [Math.round(width * ratio), Math.round(height * ratio)];
    this.canvas.style.height = `${height}px`;
    this.canvas.style.width = `${width}px`;
    this.space.style.marginTop = `${-height}px`;
    const pen = /** @type {CanvasRenderingContext2D} */ (this.canvas.getContext("2d"));
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.#background(pen, width, height);
    this.#place();
  }

  /** @param {string} name */
  #css(name) {
    return getComputedStyle(this.element).getPropertyValue(name).trim();
  }

  /** @returns {"light" | "dark"} */
  get #ground() {
    return this.#css("--lane-light") === "dark" ? "dark" : "light";
  }

  /** @param {CanvasRenderingContext2D} pen @param {number} width @param {number} height */
  #background(pen, width, height) {
    if (this.range) {
      pen.fillStyle = this.#css("--range");
      const [a, b] = this.range;
      pen.fillRect(this.#x(a), 0, this.#x(b + 1) - this.#x(a), height);
    }
    pen.fillStyle = this.#css("--raised");
    for (const [a, b] of /** @type {[number, number][]} */ ([[0, this.first], [this.end, this.frames]])) {
      const x = Math.max(LABEL, this.#x(a));
      const wide = this.#x(b) - x;
      if (wide > 0) pen.fillRect(x, RULER - 5, wide, height);
      if (wide > 110) this.#text(pen, "not annotated", x + wide / 2, RULER + 6, this.#css("--soft"));
    }
    this.#ruler(pen);
    pen.fillStyle = this.#css("--good");
    for (const [a, b] of this.reviewed) {
      const x = Math.max(LABEL, this.#x(a));
      const wide = Math.min(width, this.#x(b)) - x;
      if (wide <= 0) continue;
      pen.fillRect(x, RULER - 5, wide, 3);
      if (wide > 14) this.#text(pen, "✓", x + wide / 2, RULER - 10, this.#css("--good"));
    }
    pen.save();
    pen.beginPath();
    pen.rect(0, RULER, width, height);
    pen.clip();
    for (const [track, y] of this.#inSight(height)) {
      const chosen = track.id === this.selected;
      if (chosen) {
        pen.fillStyle = this.#css("--raised");
        pen.fillRect(0, y, width, LANE);
      }
      const label = `${track.id}${track.name ? ` ${track.name}` : ""}`;
      pen.textAlign = "left";
      pen.font = `${chosen ? 600 : 400} 12px system-ui, sans-serif`;
      pen.textBaseline = "middle";
      pen.fillStyle = colour(track.id, LABEL_LIGHT[this.#ground]);
      pen.fillText(label, 10, y + LANE / 2, LABEL - 16);
      pen.fillStyle = this.#css("--faint");
      const [x, end] = [Math.max(LABEL, this.#x(track.first)), this.#x(track.last + 1)];
      if (end > x) pen.fillRect(x, y + LANE / 2, end - x, 1);
    }
    const lanes = new Map(this.#inSight(height).map(([track, y]) => [track.id, y]));
    this.#bars(pen, lanes);
    const area = { left: LABEL, right: width, top: RULER, bottom: height };
    const colours = { line: this.#css("--soft"), ground: this.#css("--panel") };
    hatch(pen, this.unseen, (frame) => this.#x(frame), area, colours);
    for (const doubt of this.doubts) {
      const x = this.#x(doubt.frame + 0.5);
      const y = doubt.track === null ? RULER : lanes.get(doubt.track);
      if (x < LABEL || y === undefined) continue;
      pen.fillStyle = this.#css("--warn");
      pen.beginPath();
      pen.moveTo(x, y + 1);
      pen.lineTo(x + 5, y + 9);
      pen.lineTo(x - 5, y + 9);
      pen.fill();
    }
    pen.restore();
  }

  /** Numbers of frames, as many as have room. @param {CanvasRenderingContext2D} pen */
  #ruler(pen) {
    const least = (80 / this.#width) * (this.to - this.from);
    const power = 10 ** Math.floor(Math.log10(Math.max(1, least)));
    const step = [1, 2, 5, 10].map((n) => n * power).find((n) => n >= least) ?? 1;
    const soft = this.#css("--soft");
    for (let at = Math.ceil(this.from / step) * step; at < this.to; at += step) {
      const x = this.#x(at);
      pen.fillStyle = this.#css("--line");
      pen.fillRect(x, RULER - 6, 1, 6);
      this.#text(pen, String(at), x, 8, soft);
    }
  }

  /** The tracks whose lanes are in sight, and the top of each. @param {number} height */
  #inSight(height) {
    const { scrollTop } = this.element;
    const first = Math.floor(scrollTop / LANE);
    const seen = this.tracks.slice(first, first + Math.ceil(height / LANE) + 1);
    return seen.map((track, n) => /** @type {[Lane, number]} */ ([track, RULER + (first + n) * LANE - scrollTop]));
  }

  /** @param {CanvasRenderingContext2D} pen @param {string} text @param {number} x @param {number} y @param {string} style */
  #text(pen, text, x, y, style) {
    pen.font = "11px system-ui, sans-serif";
    pen.textAlign = "center";
    pen.textBaseline = "middle";
    pen.fillStyle = style;
    pen.fillText(text, x, y);
  }

  /**
   * Bars as high as the least score of the poses of a pixel; filled poses are low and grey.
   * @param {CanvasRenderingContext2D} pen @param {Map<number, number>} lanes top of each track's
   */
  #bars(pen, lanes) {
    const outline = this.outline;
    if (!outline) return;
    const ids = [...lanes.keys()];
    const numbers = new Map(ids.map((track, number) => [track, number]));
    const exact = this.#width;
    const width = Math.ceil(exact);
    const scale = exact / (this.to - this.from);
    const least = new Float32Array(ids.length * width).fill(2);
    const span = Math.max(1, Math.ceil(width / (this.to - this.from)));
    for (let i = 0; i < outline.frame.length; i++) {
      const frame = outline.frame[i];
      if (frame < this.from || frame >= this.to) continue;
      const lane = numbers.get(outline.track[i]);
      if (lane === undefined) continue;
      const score = outline.filled[i] ? -1 : outline.score[i];
      const x = Math.max(0, Math.floor((frame - this.from) * scale));
      for (let k = x; k < Math.min(width, x + span); k++) {
        least[lane * width + k] = Math.min(least[lane * width + k], score);
      }
    }
    const grey = this.#css("--faint");
    const light = BAR_LIGHT[this.#ground];
    ids.forEach((track, lane) => {
      const bottom = (lanes.get(track) ?? 0) + LANE - 3;
      for (let k = 0; k < width; k++) {
        const score = least[lane * width + k];
        if (score === 2) continue;
        const high = score < 0 ? 3 : 3 + 11 * Math.min(1, score);
        pen.fillStyle = score < 0 ? grey : colour(track, light);
        pen.fillRect(LABEL + k, bottom - high, 1, high);
      }
    });
  }
}
