// The video, frame by frame: which frame is shown is known from the time stamp of the shown picture.
// @ts-check

// Milliseconds after which a frame is taken for shown whose picture the browser does not announce.
const UNANNOUNCED_MS = 1000;

export class Player {
  /** @param {HTMLVideoElement} video @param {(frame: number) => void} shown */
  constructor(video, shown) {
    this.video = video;
    this.shown = shown;
    /** @type {Float64Array} */
    this.times = new Float64Array([0]);
    this.frame = 0;
    /** @type {number | null} */
    this.pictured = null; // the frame whose picture was painted last
    /** @type {[number, number] | null} */
    this.range = null;
    this.loops = false;
    /** @type {number | null} */
    this.wanted = null; // where a seek goes
    this.sought = -1; // the frame that the browser was last told to go to
    /** @type {string | null} */
    this.prepared = null; // address of a video that is loading already
    this.blind = false; // whether frames are known, and no picture of them
    video.addEventListener("seeked", () => this.#seeked());
    video.addEventListener("ended", () => this.#wrap());
    this.#watch();
  }

  /** Begins to load a video, before the times of its frames are known. @param {string} address */
  prepare(address) {
    this.prepared = address;
    this.video.src = address;
  }

  /**
   * @param {string | null} address null: there is no picture @param {Float64Array} times of all frames, in seconds
   * @param {number} frame to show first
   */
  load(address, times, frame) {
    this.times = times;
    this.wanted = null;
    this.pictured = null;
    this.blind = address === null;
    if (address === null) this.video.removeAttribute("src");
    else if (address !== this.prepared) this.video.src = address;
    this.prepared = null;
    if (address === null) this.video.load();
    this.seek(frame);
  }

  get last() {
    return this.times.length - 1;
  }

  get playing() {
    return !this.video.paused;
  }

  play() {
    if (this.blind) return;
    if (this.frame >= this.last) this.seek(0);
    this.video.play().catch(() => {});
  }

  pause() {
    if (this.video.paused) return;
    this.video.pause();
    this.seek(this.frame);
  }

  toggle() {
    if (this.playing) this.pause();
    else this.play();
  }

  /** Steps from where a seek goes, so that a held key loses no step. @param {number} by */
  step(by) {
    if (this.playing) this.video.pause();
    this.seek((this.wanted ?? this.frame) + by);
  }

  /** Shows a frame. @param {number} frame */
  seek(frame) {
    const target = Math.max(0, Math.min(this.last, Math.round(frame)));
    const busy = this.wanted !== null && this.video.seeking;
    this.wanted = target;
    if (this.blind) this.#show(target);
    else if (!busy) this.#go(target);
  }

  /** @param {number} frame */
  #go(frame) {
    this.sought = frame;
    this.video.currentTime = this.#middle(frame);
  }

  /** A time well inside a frame. @param {number} frame */
  #middle(frame) {
    const start = this.times[frame];
    const step = this.last ? this.times[this.last] / this.last : 0.04;
    const next = frame < this.last ? this.times[frame + 1] : start + Math.min(step, 0.04);
    return (start + next) / 2;
  }

  #seeked() {
    const target = this.wanted;
    if (target === null) return;
    // Not by the time: at the end of a video, the browser may stop at another one.
    if (this.sought !== target) {
      this.#go(target); // it was moved on meanwhile
      return;
    }
    // Where the picture does not change, no callback comes. Elsewhere the picture may be painted much
    // later than the seek ends.
    if (this.pictured === target) this.#show(target);
    else
      setTimeout(() => {
        if (this.wanted === target && !this.video.seeking) this.#show(target);
      }, UNANNOUNCED_MS);
  }

  #watch() {
    const seen = (/** @type {number} */ _now, /** @type {{mediaTime: number}} */ picture) => {
      const frame = this.nearest(picture.mediaTime);
      this.pictured = frame;
      if (this.wanted === null || this.wanted === frame || this.playing) this.#show(frame);
      this.video.requestVideoFrameCallback(seen);
    };
    this.video.requestVideoFrameCallback(seen);
  }

  /** @param {number} frame */
  #show(frame) {
    if (this.wanted === frame || this.playing) this.wanted = null;
    this.frame = frame;
    this.shown(frame);
    if (this.playing && this.loops && this.range && frame >= this.range[1]) this.seek(this.range[0]);
  }

  #wrap() {
    if (!this.loops) return;
    this.seek(this.range ? this.range[0] : 0);
    this.video.play().catch(() => {});
  }

  /** The frame whose time is nearest. @param {number} time in seconds */
  nearest(time) {
    let low = 0;
    let high = this.last;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.times[middle] < time) low = middle + 1;
      else high = middle;
    }
    return low > 0 && time - this.times[low - 1] < this.times[low] - time ? low - 1 : low;
  }
}
