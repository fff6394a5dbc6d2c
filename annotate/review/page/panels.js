// The lists beside the picture: videos, people, places to check, edits.
// @ts-check
import { element } from "./keys.js";
import { colour } from "./stage.js";

/**
 * A place to check.
 * @typedef {object} Doubt
 * @property {number | null} track
 * @property {number} frame to look at first
 * @property {number} first
 * @property {number} last
 * @property {number} weight the greater, the more doubtful
 * @property {string} words
 */

/** @param {HTMLElement} list @param {any[]} videos @param {number} shown @param {(number: number) => void} open */
export function showVideos(list, videos, shown, open) {
  list.replaceChildren(
    ...videos.map((video) => {
      const ready = video.state === "ready";
      const item = row(video.name, ready ? "" : video.state, video.number === shown);
      item.button.disabled = !ready;
      item.button.addEventListener("click", () => open(video.number));
      return item.line;
    }),
  );
}

/**
 * @param {HTMLElement} list @param {any[]} tracks @param {number | null} selected
 * @param {import("./player.js").Player} player @param {(track: number) => void} select
 */
export function showPeople(list, tracks, selected, player, select) {
  list.replaceChildren(
    ...tracks.map((track) => {
      const seconds = player.times[track.last] - player.times[track.first];
      const name = track.name || `Track ${track.id}`;
      const item = row(name, `${Number.isFinite(seconds) ? seconds.toFixed(1) : "?"} s`, track.id === selected);
      const mark = element("span", String(track.id));
      mark.className = "mark";
      mark.style.background = colour(track.id, 70);
      item.button.prepend(mark);
      item.button.addEventListener("click", () => {
        select(track.id);
        if (player.frame < track.first || player.frame > track.last) player.seek(track.first);
      });
      return item.line;
    }),
  );
}

/**
 * @param {HTMLElement} list @param {any[]} doubts @param {(one: any) => boolean} isDone
 * @param {(one: any) => void} visit
 */
export function showDoubts(list, doubts, isDone, visit) {
  list.replaceChildren(
    ...doubts.slice(0, 60).map((doubt) => {
      const done = isDone(doubt);
      const who = doubt.track && !doubt.words.includes("track") ? `${doubt.track}: ` : "";
      const item = row(`${who}${doubt.words}`, done ? "✓" : `${doubt.frame}`, false);
      item.button.classList.toggle("done", done);
      item.button.addEventListener("click", () => visit(doubt));
      return item.line;
    }),
  );
}

/** @param {HTMLElement} list @param {any[]} edits */
export function showHistory(list, edits) {
  if (!edits.length) list.replaceChildren(element("li", "No edits yet"));
  if (!edits.length) return;
  list.replaceChildren(
    ...[...edits].reverse().map((edit) => {
      const line = element("li", `${edit.number}. ${edit.text}`);
      line.title = `${edit.author}, ${edit.time}${edit.not_applied ? `: ${edit.not_applied}` : ""}`;
      if (edit.undone) line.className = "undone";
      if (edit.undone) line.append(" (undone)");
      if (edit.not_applied) line.append(` (does not apply: ${edit.not_applied})`);
      return line;
    }),
  );
}

/**
 * Scrolls a list to one of its lines, and nothing about it: in a small window, the picture stays.
 * @param {HTMLElement} list @param {HTMLElement | null} line
 */
export function revealIn(list, line) {
  if (!line) return;
  const [inner, outer] = [line.getBoundingClientRect(), list.getBoundingClientRect()];
  if (inner.top < outer.top) list.scrollTop += inner.top - outer.top;
  else if (inner.bottom > outer.bottom) list.scrollTop += inner.bottom - outer.bottom;
}

/** @param {string} text @param {string} more @param {boolean} chosen */
function row(text, more, chosen) {
  const line = document.createElement("li");
  const button = document.createElement("button");
  const name = element("span", text);
  name.className = "name";
  button.append(name, element("small", more));
  if (chosen) button.setAttribute("aria-current", "true");
  line.append(button);
  return { line, button };
}
