// Frames in which no person was looked for: damaged ones, and those of parts that failed. They are hatched
// and lettered on the timeline, so that no colour alone says it, and told to screen readers.
// @ts-check

/** @typedef {{start: number, stop: number, kind: "damaged" | "missing", why: string}} Unseen */

// Pixels: the least width of a mark, between its lines, for a letter, and for a word.
const LEAST = 3;
const APART = 6;
const LETTER = 12;
const WORD = 64;
// How many ranges are told one by one.
const TOLD = 20;

/** What a frame is, in a word; empty where people were looked for. @param {Unseen[]} unseen @param {number} frame */
export const kindAt = (unseen, frame) => unseen.find((one) => one.start <= frame && frame < one.stop)?.kind ?? "";

/** All of them in a sentence each. @param {Unseen[]} unseen */
export function inWords(unseen) {
  const more = unseen.length > TOLD ? [`And ${unseen.length - TOLD} more such ranges.`] : [];
  const ranges = unseen.slice(0, TOLD).map(({ start, stop, kind, why }) => {
    const frames = stop - start === 1 ? `Frame ${start}` : `Frames ${start} to ${stop - 1}`;
    return `${frames} ${kind}: ${why}.`;
  });
  return [...ranges, ...more].join(" ");
}

/**
 * Hatches them.
 * @param {CanvasRenderingContext2D} pen @param {Unseen[]} unseen @param {(frame: number) => number} place of a frame
 * @param {{left: number, right: number, top: number, bottom: number}} area @param {{line: string, ground: string}} colours
 */
export function hatch(pen, unseen, place, area, colours) {
  let free = area.left; // where the next letter has room
  for (const one of unseen) {
    const x = Math.max(area.left, place(one.start));
    const wide = Math.max(LEAST, Math.min(area.right, place(one.stop)) - x);
    if (place(one.stop) < area.left || x > area.right) continue;
    pen.save();
    pen.beginPath();
    pen.rect(x, area.top, wide, area.bottom - area.top);
    pen.clip();
    pen.strokeStyle = colours.line;
    pen.beginPath();
    const high = area.bottom - area.top;
    for (let at = x - high - (x % APART); at < x + wide; at += APART) {
      pen.moveTo(at, area.bottom);
      pen.lineTo(at + high, area.top);
    }
    pen.stroke();
    pen.restore();
    const text = wide >= WORD ? one.kind : one.kind[0].toUpperCase();
    const room = wide >= WORD ? WORD - 8 : LETTER;
    const left = x + wide / 2 - room / 2;
    if (left < free) continue;
    free = left + room;
    pen.fillStyle = colours.ground;
    pen.fillRect(left, area.top + 1, room, 13);
    pen.font = "600 11px system-ui, sans-serif";
    pen.textAlign = "center";
    pen.textBaseline = "middle";
    pen.fillStyle = colours.line;
    pen.fillText(text, x + wide / 2, area.top + 8);
  }
}
