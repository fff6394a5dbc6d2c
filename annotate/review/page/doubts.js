// Places to check, as far as the outline of the tracks tells them.
// @ts-check

/**
 * @typedef {object} Doubt
 * @property {number} track
 * @property {number} frame to look at first
 * @property {number} first
 * @property {number} last
 * @property {number} weight the greater, the more doubtful
 * @property {string} words
 */

// Scores below this are low; so many seconds of them, or of a gap, are worth a look.
const LOW = 0.5;
const LOW_S = 0.5;
const GAP_S = 1;
const EDGE_S = 0.3;

/**
 * The most doubtful first.
 * @param {import("./poses.js").Outline} outline @param {Float64Array} times of all frames
 * @returns {Doubt[]}
 */
export function doubtsOf(outline, times) {
  /** @type {Map<number, number[]>} */
  const rows = new Map();
  outline.track.forEach((track, row) => {
    const own = rows.get(track);
    if (own) own.push(row);
    else rows.set(track, [row]);
  });
  const found = [];
  const end = times[times.length - 1];
  for (const [track, own] of rows) {
    const frames = own.map((row) => outline.frame[row]);
    found.push(...lowSpells(track, own, outline, times));
    for (let i = 1; i < frames.length; i++) {
      const [first, last] = [frames[i - 1], frames[i]];
      const gap = times[last] - times[first];
      if (gap > GAP_S) {
        found.push({ track, frame: last, first, last, weight: 0.6, words: `away for ${gap.toFixed(1)} s: the same person?` });
      }
    }
    const [first, last] = [frames[0], frames[frames.length - 1]];
    if (times[first] > EDGE_S) {
      found.push({ track, frame: first, first, last: first, weight: 0.5, words: "begins here" });
    }
    if (times[last] < end - EDGE_S) {
      found.push({ track, frame: last, first: last, last, weight: 0.4, words: "ends here" });
    }
  }
  return found.sort((a, b) => b.weight - a.weight || a.frame - b.frame);
}

/** @param {number} track @param {number[]} rows @param {import("./poses.js").Outline} outline @param {Float64Array} times */
function lowSpells(track, rows, outline, times) {
  const found = [];
  let begin = -1;
  for (let i = 0; i <= rows.length; i++) {
    const low = i < rows.length && outline.score[rows[i]] < LOW;
    if (low && begin < 0) begin = i;
    if (low || begin < 0) continue;
    const [first, last] = [outline.frame[rows[begin]], outline.frame[rows[i - 1]]];
    const seconds = times[last] - times[first];
    if (seconds >= LOW_S) {
      const spell = rows.slice(begin, i);
      const frame = outline.frame[spell.reduce((a, b) => (outline.score[b] < outline.score[a] ? b : a))];
      const words = `unsure for ${seconds.toFixed(1)} s`;
      found.push({ track, frame, first, last, weight: 0.7 + Math.min(0.2, seconds / 50), words });
    }
    begin = -1;
  }
  return found;
}
