// The poses of a video, block by block: those near the shown frame are in memory.
// @ts-check
import { binary } from "./api.js";

/**
 * @typedef {object} Pose
 * @property {number} track
 * @property {number} score
 * @property {boolean} filled
 * @property {Float32Array} points x, y and visibility of each landmark
 */

// Frames of a block, and how many blocks are kept: some seconds of many people, about 20 MB.
const FRAMES = 128;
const KEPT = 40;
// Milliseconds after which poses that could not be loaded are loaded again.
const PAUSE_MS = 2000;
// How many blocks are loaded at once: those that a scrub has passed meanwhile are not loaded at all.
const AT_ONCE = 2;
const NO_POSES = /** @type {Pose[]} */ ([]);

export class Poses {
  /**
   * @param {number} video @param {number} frames @param {() => void} arrived
   * @param {(error: unknown) => void} wrong
   */
  constructor(video, frames, arrived, wrong) {
    this.video = video;
    this.frames = frames;
    this.arrived = arrived;
    this.wrong = wrong;
    this.pausedUntil = 0; // milliseconds: after a failure, no block is loaded for a while
    this.version = 0;
    this.loads = 0; // how many go on
    /** @type {Map<number, {version: number, loading: boolean, byFrame: Map<number, Pose[]>}>} */
    this.blocks = new Map();
  }

  /** After an edit: what is shown stays until the new poses are there. */
  renew() {
    this.version += 1;
  }

  /** The poses of a frame; undefined while they are on their way. @param {number} frame */
  at(frame) {
    const number = Math.floor(frame / FRAMES);
    const block = this.#wanted(number);
    if (frame % FRAMES > FRAMES / 2 && !this.loads) this.#wanted(number + 1);
    const comes = block.version < 0 && (block.loading || this.loads >= AT_ONCE);
    return comes ? undefined : block.byFrame.get(frame) ?? NO_POSES;
  }

  /** Whether the poses of a frame are those after the last edit. @param {number} frame */
  isFresh(frame) {
    const block = this.blocks.get(Math.floor(frame / FRAMES));
    return block !== undefined && !block.loading && block.version === this.version;
  }

  /** @param {number} number */
  #wanted(number) {
    const known = this.blocks.get(number);
    const block = known ?? { version: -1, loading: false, byFrame: new Map() };
    this.blocks.delete(number);
    this.blocks.set(number, block); // the last one used is the last one dropped
    const inside = number >= 0 && number * FRAMES < this.frames;
    const free = this.loads < AT_ONCE && !block.loading && Date.now() > this.pausedUntil;
    if (inside && block.version !== this.version && free) this.#load(number, block);
    for (const old of this.blocks.keys()) {
      if (this.blocks.size <= KEPT) break;
      this.blocks.delete(old);
    }
    return block;
  }

  /** @param {number} number @param {{version: number, loading: boolean, byFrame: Map<number, Pose[]>}} block */
  async #load(number, block) {
    const version = this.version;
    block.loading = true;
    this.loads += 1;
    const range = `start=${number * FRAMES}&stop=${(number + 1) * FRAMES}`;
    try {
      block.byFrame = parsed(await binary(`/api/videos/${this.video}/poses?${range}`));
      block.version = version;
    } catch (error) {
      this.pausedUntil = Date.now() + PAUSE_MS;
      setTimeout(() => this.arrived(), PAUSE_MS + 1);
      this.wrong(error);
    } finally {
      block.loading = false;
      this.loads -= 1;
    }
    this.arrived();
  }
}

/** @param {ArrayBuffer} data */
function parsed(data) {
  const [poses, landmarks] = new Uint32Array(data, 0, 2);
  const frame = new Int32Array(data, 8, poses);
  const track = new Int32Array(data, 8 + 4 * poses, poses);
  const score = new Float32Array(data, 8 + 8 * poses, poses);
  const filled = new Float32Array(data, 8 + 12 * poses, poses);
  const points = new Float32Array(data, 8 + 16 * poses);
  /** @type {Map<number, Pose[]>} */
  const byFrame = new Map();
  for (let i = 0; i < poses; i++) {
    const own = points.subarray(i * landmarks * 3, (i + 1) * landmarks * 3);
    const pose = { track: track[i], score: score[i], filled: filled[i] > 0, points: own };
    const others = byFrame.get(frame[i]);
    if (others) others.push(pose);
    else byFrame.set(frame[i], [pose]);
  }
  return byFrame;
}

/**
 * All poses of a video without landmarks, for the timeline.
 * @typedef {{frame: Int32Array, track: Int32Array, score: Float32Array, filled: Float32Array}} Outline
 */

/** @param {number} video @returns {Promise<Outline>} */
export async function outlineOf(video) {
  const data = await binary(`/api/videos/${video}/outline`);
  const [count] = new Uint32Array(data, 0, 1);
  return {
    frame: new Int32Array(data, 4, count),
    track: new Int32Array(data, 4 + 4 * count, count),
    score: new Float32Array(data, 4 + 8 * count, count),
    filled: new Float32Array(data, 4 + 12 * count, count),
  };
}
