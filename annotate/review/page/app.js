// The page: a video with its people, the timeline, and the edits.
// @ts-check
import { binary, json, Refused } from "./api.js";
import { editKeys } from "./commands.js";
import { History } from "./history.js";
import { element, help, listen } from "./keys.js";
import { showDoubts, showHistory, showPeople, showVideos } from "./panels.js";
import { Player } from "./player.js";
import { outlineOf, Poses } from "./poses.js";
import { Stage } from "./stage.js";
import { Timeline } from "./timeline.js";

// Milliseconds between two looks for edits of other reviewers, and at the copy that is made.
const LOOK_MS = 4000;
const COPY_MS = 400;

/** @param {string} id @returns {any} */
const $ = (id) => document.getElementById(id);

/** What is shown. */
const now = {
  video: -1,
  /** @type {any} */ info: null,
  /** @type {any} */ view: null,
  /** @type {number | null} */ selected: null,
  /** @type {[number, number] | null} */ range: null,
  /** @type {import("./panels.js").Doubt[]} */ doubts: [],
  /** @type {Set<string>} */ seen: new Set(),
  /** @type {any[]} */ videos: [],
};
/** @type {Poses} */
let poses = new Poses(0, 0, () => {});
let saidAt = 0;

/** @param {string} text @param {boolean} [wrong] */
function say(text, wrong = false) {
  $("saved").textContent = text;
  $("saved").classList.toggle("wrong", wrong);
  const at = (saidAt = Date.now());
  if (!wrong) setTimeout(() => at === saidAt && ($("saved").textContent = ""), 4000);
}

const player = new Player($("video"), shown);
const history = new History(changed, say);
const stage = new Stage($("stage"), $("video"), $("overlay"), {
  click: (x, y, hit) => commands.click(x, y, hit),
  moved: (track, keypoint, from, to, between) => commands.moved(track, keypoint, from, to, between),
  picks: () => commands.picks(),
});
const timeline = new Timeline($("lanes"), $("timeline"), {
  seek: (frame) => player.seek(frame),
  select,
});
const commands = editKeys({ now, player, stage, history, select, setRange, say, hint: (text) => ($("hint").textContent = text) });

/** Another frame is shown. @param {number} frame */
function shown(frame) {
  const found = poses.at(frame);
  if (found !== undefined) stage.poses = found;
  stage.draw();
  timeline.show(frame);
  const seconds = player.times[frame] - player.times[0];
  const minutes = `${Math.floor(seconds / 60)}:${(seconds % 60).toFixed(3).padStart(6, "0")}`;
  $("clock").textContent = `frame ${frame} of ${player.last} · ${minutes}`;
  $("lanes").setAttribute("aria-valuenow", String(frame));
  $("play").textContent = player.playing ? "Pause" : "Play";
  document.body.dataset.frame = String(frame);
  document.body.dataset.fresh = String(poses.isFresh(frame));
}

/** @param {number | null} track */
function select(track) {
  now.selected = stage.selected = timeline.selected = track;
  stage.keypoint = null;
  timeline.renew();
  stage.draw();
  panels();
}

/** @param {[number, number] | null} range */
function setRange(range) {
  now.range = player.range = timeline.range = range;
  $("range").textContent = range ? `range ${range[0]} to ${range[1]}` : "";
  timeline.renew();
}

/** The tracks are others now, after an edit of this or another reviewer. @param {any} view */
async function changed(view) {
  now.view = view;
  history.after = view.last;
  if (!view.tracks.some((/** @type {any} */ one) => one.id === now.selected)) now.selected = stage.selected = null;
  poses.renew();
  shown(player.frame);
  stage.names = new Map(view.tracks.map((/** @type {any} */ one) => [one.id, one.name]));
  timeline.tracks = view.tracks;
  timeline.reviewed = view.reviewed;
  timeline.selected = now.selected;
  timeline.renew();
  panels();
  const number = now.video;
  const outline = await outlineOf(number);
  if (number !== now.video || view.last !== now.view.last) return;
  timeline.outline = outline;
  timeline.renew();
  document.body.dataset.last = String(view.last);
  const doubts = await json(`/api/videos/${number}/moments`);
  if (number !== now.video || view.last !== now.view.last) return;
  now.doubts = timeline.doubts = doubts;
  timeline.renew();
  panels();
}

function panels() {
  const left = now.doubts.filter((one) => !now.seen.has(key(one)));
  showPeople($("people"), now.view?.tracks ?? [], now.selected, player, select);
  showDoubts($("doubts"), now.doubts, now.seen, key, visit);
  showHistory($("history"), now.view?.edits ?? []);
  $("people-count").textContent = String(now.view?.tracks.length ?? "");
  $("doubts-count").textContent = now.doubts.length ? `${left.length} left` : "none";
  const track = now.view?.tracks.find((/** @type {any} */ one) => one.id === now.selected);
  $("selected").textContent = track ? `Track ${track.id}${track.name ? ` · ${track.name}` : ""}` : "No one selected";
  $("actions").replaceChildren(...commands.buttons(track !== undefined));
}

/** @param {import("./panels.js").Doubt} one */
const key = (one) => `${one.track} ${one.frame} ${one.words}`;

/** @param {import("./panels.js").Doubt} doubt */
function visit(doubt) {
  now.seen.add(key(doubt));
  player.pause();
  player.seek(doubt.frame);
  select(doubt.track);
  const left = now.doubts.filter((one) => !now.seen.has(key(one))).length;
  say(`${doubt.words}; ${left} left to check`);
}

function nextDoubt() {
  const next = now.doubts.find((one) => !now.seen.has(key(one)));
  if (next) visit(next);
  else say("Nothing is left to check in this video");
}

/** @param {number} number */
async function open(number) {
  player.video.pause();
  now.video = number;
  location.hash = `video=${number}`;
  showVideos($("videos"), now.videos, number, open);
  try {
    const info = await json(`/api/videos/${number}`);
    now.info = info;
    now.seen.clear();
    setRange(null);
    stage.size = [info.width, info.height];
    stage.edges = info.edges;
    stage.poses = [];
    stage.fit();
    poses = new Poses(number, info.frames, () => shown(player.frame));
    history.open(number, info.last);
    timeline.reset(info.frames);
    $("lanes").setAttribute("aria-valuemax", String(info.frames - 1));
    $("title").textContent = document.title = info.name;
    now.selected = null;
    await playable(number, false);
    now.doubts = timeline.doubts = [];
    changed(info).catch(wrong);
    document.body.dataset.ready = String(number);
  } catch (error) {
    wrong(error);
  }
}

/** Waits until the browser can play the video, then loads it. @param {number} number @param {boolean} copy */
async function playable(number, copy) {
  const waiting = $("waiting");
  for (;;) {
    const source = await json(`/api/videos/${number}/source${copy ? "?copy" : ""}`);
    if (now.video !== number) return;
    if (source.state === "failed") throw new Refused(0, source.message, "");
    if (source.state === "ready" && (source.copy || !copy)) break;
    waiting.hidden = false;
    waiting.querySelector("p").textContent = "Making a copy that this browser can play";
    waiting.querySelector("progress").value = source.fraction;
    await new Promise((done) => setTimeout(done, COPY_MS));
  }
  waiting.hidden = true;
  const times = new Float64Array(await binary(`/api/videos/${number}/times`));
  player.load(`/api/videos/${number}/media?${copy ? "copy" : ""}`, times);
  player.video.onerror = () => {
    if (!copy) playable(number, true).catch(wrong);
    else wrong(new Refused(0, "this browser cannot play the video", "Try another browser."));
  };
}

/** @param {unknown} error */
function wrong(error) {
  if (!(error instanceof Refused)) throw error;
  $("waiting").hidden = true;
  say(`${error.message}. ${error.hint}`, true);
}

/** Edits of other reviewers. */
async function look() {
  if (now.view && now.video >= 0 && !document.hidden) {
    const video = now.video;
    const view = await json(`/api/videos/${video}/view?after=${now.view.last}`).catch(() => null);
    if (view && video === now.video && view.last > now.view.last) {
      await changed(view);
      say("Another reviewer made an edit");
    }
  }
  setTimeout(look, LOOK_MS);
}

function theme() {
  const root = document.documentElement;
  root.dataset.theme = root.dataset.theme === "dark" ? "light" : "dark";
  localStorage.setItem("theme", root.dataset.theme);
  timeline.renew();
}

/** @param {number} by */
function speed(by) {
  const list = $("speed");
  list.selectedIndex = Math.max(0, Math.min(list.length - 1, list.selectedIndex + by));
  player.video.playbackRate = Number(list.value);
}

function loop() {
  player.loops = !player.loops;
  $("loop").setAttribute("aria-pressed", String(player.loops));
}

/** @param {string} keys @param {string} shownAs @param {string} what @param {() => void} act */
const look_ = (keys, shownAs, what, act) => ({ keys, shown: shownAs, what, group: "Look", act });
const keys = [
  look_("Space", "Space", "play or pause", () => player.toggle()),
  look_("ArrowLeft", "←", "one frame back", () => player.step(-1)),
  look_("ArrowRight", "→", "one frame on", () => player.step(1)),
  look_("Shift+ArrowLeft", "Shift+←", "ten frames back", () => player.step(-10)),
  look_("Shift+ArrowRight", "Shift+→", "ten frames on", () => player.step(10)),
  look_("Home", "Home", "first frame", () => player.seek(0)),
  look_("End", "End", "last frame", () => player.seek(player.last)),
  look_(",", ",", "slower", () => speed(-1)),
  look_(".", ".", "faster", () => speed(1)),
  look_("n", "N", "next place to check", nextDoubt),
  look_("l", "L", "loop the range", loop),
  look_("+ =", "+", "nearer", () => stage.zoomBy(1.25)),
  look_("-", "-", "farther", () => stage.zoomBy(0.8)),
  look_("0", "0", "whole picture", () => stage.fit()),
  look_("Ctrl+ArrowUp", "Ctrl+↑", "timeline nearer", () => timeline.zoomBy(0.5)),
  look_("Ctrl+ArrowDown", "Ctrl+↓", "timeline farther", () => timeline.zoomBy(2)),
  look_("?", "?", "these keys", () => help($("keys"), keys)),
  ...commands.keys,
];

listen(keys, () => document.querySelector("dialog[open]") !== null);
$("play").addEventListener("click", () => player.toggle());
$("back").addEventListener("click", () => player.step(-1));
$("forward").addEventListener("click", () => player.step(1));
$("next").addEventListener("click", nextDoubt);
$("loop").addEventListener("click", loop);
$("undo").addEventListener("click", () => history.undo());
$("redo").addEventListener("click", () => history.redo());
$("help").addEventListener("click", () => help($("keys"), keys));
$("theme").addEventListener("click", theme);
$("speed").addEventListener("change", () => speed(0));
$("video").addEventListener("pause", () => ($("play").textContent = "Play"));
$("video").addEventListener("play", () => ($("play").textContent = "Pause"));
const dark = matchMedia("(prefers-color-scheme: dark)").matches;
document.documentElement.dataset.theme = localStorage.getItem("theme") ?? (dark ? "dark" : "light");

try {
  const job = await json("/api/job");
  now.videos = job.videos;
  const asked = Number(new URLSearchParams(location.hash.slice(1)).get("video") ?? NaN);
  const ready = job.videos.filter((/** @type {any} */ one) => one.state === "ready");
  const first = ready.find((/** @type {any} */ one) => one.number === asked) ?? ready[0];
  showVideos($("videos"), job.videos, -1, open);
  if (first) await open(first.number);
  else $("stage").append(element("p", "No video of this job has tracks yet: see annotate status."));
  look();
} catch (error) {
  wrong(error);
}
