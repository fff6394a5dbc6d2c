// The page: a video with its people, the timeline, and the edits.
// @ts-check
import { binary, json, Refused } from "./api.js";
import { editKeys } from "./commands.js";
import { History } from "./history.js";
import { help, keptFocus, listen, nextPart } from "./keys.js";
import { revealIn, showDoubts, showHistory, showPeople, showVideos } from "./panels.js";
import { Player } from "./player.js";
import { outlineOf, Poses } from "./poses.js";
import { Stage } from "./stage.js";
import { Timeline } from "./timeline.js";
import { inWords, kindAt } from "./unseen.js";

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
  annotated: new Uint8Array(0), // of each frame, whether it was annotated
  sparse: false, // whether only every so many were
};
/** @type {Poses} */
let poses = new Poses(0, 0, () => {}, wrong);
let saidAt = 0;
let opens = 0; // how often a video was opened

/** @param {string} text @param {boolean} [wrong] */
function say(text, wrong = false) {
  $("saved").textContent = text;
  $("saved").classList.toggle("wrong", wrong);
  const at = (saidAt = Date.now());
  if (!wrong) setTimeout(() => at === saidAt && ($("saved").textContent = ""), 4000);
}

const player = new Player($("video"), shown);
const history = new History(changed, say, wrong);
// Why the edit was not made stays on the page, whatever this is answered: the next look tells of trouble.
history.refused = () => refresh().catch(ignored);
const stage = new Stage($("stage"), $("video"), $("overlay"), {
  click: (x, y, hit) => commands.click(x, y, hit),
  boxed: (corners) => commands.boxed(corners),
  moved: (track, keypoint, from, to, between) => commands.moved(track, keypoint, from, to, between),
  picks: () => commands.picks(),
});
const timeline = new Timeline($("lanes"), $("timeline"), $("lanes-space"), $("head"), {
  seek: (frame) => player.seek(frame),
  select,
  mark: setRange,
});
const commands = editKeys({ now, player, stage, history, select, setRange, say, hint: (text) => ($("hint").textContent = text) });

/** Another frame is shown. @param {number} frame */
function shown(frame) {
  const found = poses.at(frame);
  const annotated = now.annotated[frame] !== 0;
  // Of a video that is annotated at a lower rate, the last people stay while it plays.
  if (found !== undefined && (annotated || !player.playing)) stage.poses = found;
  stage.draw();
  timeline.show(frame);
  commands.leave(frame);
  const seconds = player.times[frame] - player.times[0];
  const minutes = `${Math.floor(seconds / 60)}:${(seconds % 60).toFixed(3).padStart(6, "0")}`;
  const kind = annotated ? kindAt(timeline.unseen, frame) : "not annotated";
  $("clock").textContent = `frame ${frame} of ${player.last} · ${minutes}${kind && ` · ${kind}`}`;
  $("lanes").setAttribute("aria-valuenow", String(frame));
  $("lanes").setAttribute("aria-valuetext", `frame ${frame}${kind && `, ${kind}`}`);
  document.body.dataset.frame = String(frame);
  document.body.dataset.fresh = String(poses.isFresh(frame));
}

/** The next frame, of those that were annotated if only every so many were. @param {number} by */
function step(by) {
  let count = by;
  const from = player.wanted ?? player.frame;
  while (now.sparse && now.annotated[from + count] === 0) count += by;
  player.step(count);
}

/** @param {number | null} track */
function select(track) {
  commands.leave(null);
  now.selected = stage.selected = timeline.selected = track;
  stage.keypoint = null;
  timeline.reveal();
  timeline.renew();
  stage.draw();
  panels();
  revealIn(/** @type {HTMLElement} */ ($("people").closest("nav")), $("people").querySelector("[aria-current]"));
}

/** @param {[number, number] | null} range */
function setRange(range) {
  now.range = player.range = timeline.range = range;
  $("range").textContent = range ? `range ${range[0]} to ${range[1]}` : "";
  timeline.renew();
  if (now.view) panels();
}

/**
 * The tracks are others now, after an edit of this or another reviewer.
 * @param {any} view @param {Promise<import("./poses.js").Outline> | null} [asked] the outline, if it was asked for
 */
async function changed(view, asked = null) {
  if (now.view) poses.renew();
  now.view = view;
  history.after = view.last;
  if (!view.tracks.some((/** @type {any} */ one) => one.id === now.selected)) now.selected = stage.selected = null;
  shown(player.frame);
  stage.names = new Map(view.tracks.map((/** @type {any} */ one) => [one.id, one.name]));
  timeline.tracks = view.tracks;
  timeline.reviewed = view.reviewed;
  timeline.selected = now.selected;
  timeline.renew();
  panels();
  const number = now.video;
  const outline = await (asked ?? outlineOf(number));
  if (number !== now.video || view.last !== now.view.last) return;
  timeline.outline = outline;
  timeline.renew();
  document.body.dataset.last = String(view.last);
  const doubts = await json(`/api/videos/${number}/moments`);
  if (number !== now.video || view.last !== now.view.last) return;
  now.doubts = timeline.doubts = doubts;
  document.body.dataset.checked = String(view.last);
  timeline.renew();
  panels();
}

function panels() {
  const again = keptFocus();
  showPeople($("people"), now.view?.tracks ?? [], now.selected, player, select);
  showDoubts($("doubts"), now.doubts, isDone, visit);
  showHistory($("history"), now.view?.edits ?? []);
  $("people-count").textContent = String(now.view?.tracks.length ?? "");
  $("doubts-count").textContent = now.doubts.length ? `${doubtsLeft()} left` : "none";
  const track = now.view?.tracks.find((/** @type {any} */ one) => one.id === now.selected);
  $("selected").textContent = track ? `Track ${track.id}${track.name ? ` · ${track.name}` : ""}` : "Select a person: click, or Tab";
  $("actions").replaceChildren(...commands.buttons(track !== undefined));
  again();
}

/** @param {import("./panels.js").Doubt} one */
const key = (one) => `${one.track} ${one.frame} ${one.words}`;

/** Whether a place was looked at, or lies in frames that are reviewed. @param {import("./panels.js").Doubt} one */
function isDone(one) {
  const within = (/** @type {number[]} */ [start, stop]) => start <= one.first && one.last < stop;
  return now.seen.has(key(one)) || now.view.reviewed.some(within);
}

const doubtsLeft = () => now.doubts.filter((one) => !isDone(one)).length;

/** @param {import("./panels.js").Doubt} doubt */
function visit(doubt) {
  now.seen.add(key(doubt));
  player.pause();
  player.seek(doubt.frame);
  select(doubt.track);
  say(`${doubt.words}; ${doubtsLeft()} left to check`);
}

/** @type {import("./panels.js").Doubt[]} */
const visited = [];

function nextDoubt() {
  const next = now.doubts.find((one) => !isDone(one));
  if (next) visited.push(next);
  if (next) visit(next);
  else say("Nothing is left to check in this video");
}

function doubtBefore() {
  visited.pop();
  const before = visited.at(-1);
  if (before) visit(before);
  else say("That was the first one");
}

/** Opens the next video of the job that has tracks. @param {number} by */
function nextVideo(by) {
  const ready = now.videos.filter((one) => one.state === "ready");
  const place = ready.findIndex((one) => one.number === now.video);
  const next = ready[place + by];
  if (next) open(next.number);
  else say(by > 0 ? "This is the last video" : "This is the first video");
}

function zoomToPerson() {
  const pose = stage.poses.find((one) => one.track === now.selected);
  if (pose) stage.zoomTo(pose);
  else say("Select a person first: click, or Tab", true);
}

/** @param {number} number */
async function open(number) {
  const mine = (opens += 1);
  try {
    // All is asked for at once: none of it waits for the rest.
    const path = `/api/videos/${number}`;
    const [source, outline] = [json(`${path}/source`), outlineOf(number)];
    for (const one of [source, outline]) one.catch(() => {}); // whoever waits for it says so
    const [info, frames] = await Promise.all([json(path), binary(`${path}/annotated`)]);
    if (mine !== opens) return; // another one was opened meanwhile
    const annotated = new Uint8Array(frames);
    if (now.video >= 0) say("");
    player.video.pause();
    const { sparse } = info;
    Object.assign(now, { video: number, info, annotated, sparse, view: null, selected: null, doubts: [] });
    timeline.doubts = [];
    timeline.unseen = info.unseen;
    $("unseen").textContent = inWords(info.unseen);
    location.hash = `video=${number}`;
    showVideos($("videos"), now.videos, number, open);
    now.seen.clear();
    visited.length = 0;
    commands.leave(null);
    setRange(null);
    stage.size = [info.width, info.height];
    stage.edges = info.edges;
    stage.poses = [];
    stage.selected = stage.keypoint = null;
    stage.fit();
    poses = new Poses(number, info.frames, () => shown(player.frame), wrong);
    history.open(number, info.last, info.own);
    timeline.reset(info.frames, annotated);
    $("lanes").setAttribute("aria-valuemax", String(info.frames - 1));
    $("title").textContent = document.title = info.name;
    await playable(number, false, source).catch((error) => withoutPicture(number, error));
    if (now.video !== number) return;
    changed(info, outline).catch(wrong);
    document.body.dataset.ready = String(number);
  } catch (error) {
    if (now.video < 0) waits("No video is open.");
    wrong(error);
  }
}

/** What is said in place of the picture. @param {string} text @param {number | null} [fraction] of what is made */
function waits(text, fraction = null) {
  $("waiting").hidden = false;
  $("waiting").querySelector("p").textContent = text;
  $("waiting").querySelector("progress").hidden = fraction === null;
  $("waiting").querySelector("progress").value = fraction ?? 0;
}

/**
 * Waits until the browser can play the video, then loads it.
 * @param {number} number @param {boolean} copy @param {Promise<any> | null} [asked] the first answer, if it was asked for
 */
async function playable(number, copy, asked = null) {
  for (;;) {
    const source = await (asked ?? json(`/api/videos/${number}/source${copy ? "?copy" : ""}`));
    asked = null;
    if (now.video !== number) return;
    if (source.state === "failed") throw new Refused(0, source.message, source.hint);
    if (source.state === "ready" && (source.copy || !copy)) {
      copy = source.copy;
      break;
    }
    waits("Making the video ready for this browser", source.fraction);
    await new Promise((done) => setTimeout(done, COPY_MS));
  }
  $("waiting").hidden = true;
  const frame = firstShown();
  const address = `/api/videos/${number}/media?${copy ? "copy" : ""}`;
  player.prepare(address);
  player.load(address, await timesOf(number), frame);
  player.video.onerror = () => {
    if (player.blind || now.video !== number) return;
    const cannot = new Refused(0, "this browser cannot play the video", "Try another browser.");
    const again = copy ? Promise.reject(cannot) : playable(number, true);
    again.catch((error) => withoutPicture(number, error));
  };
}

/** Shows the people of a video whose picture cannot be shown, and why. @param {number} number @param {unknown} error */
async function withoutPicture(number, error) {
  if (!(error instanceof Refused)) throw error;
  const times = await timesOf(number);
  if (now.video !== number) return;
  waits(`No picture: ${sentence(error)}`);
  player.load(null, times, firstShown());
}

/** The frame that is shown when a video is loaded: the first that was annotated; later, the one that was shown. */
const firstShown = () => (now.view ? player.frame : timeline.first);

/** @param {number} number */
const timesOf = async (number) => new Float64Array(await binary(`/api/videos/${number}/times`));

/** @param {Refused} error */
const sentence = (error) => `${error.message}${error.hint ? `. ${error.hint}` : ""}`;

/** @param {unknown} error */
function wrong(error) {
  if (!(error instanceof Refused)) throw error;
  if (error.code === 0 || error.code === 403) trouble = error.message;
  say(sentence(error), true);
}

/** @param {unknown} error */
function ignored(error) {
  if (!(error instanceof Refused)) throw error;
}

/** Why the server does not answer this page; empty while it does. */
let trouble = "";

/** The tracks as they are now. */
async function refresh() {
  const video = now.video;
  const view = await json(`/api/videos/${video}/view`);
  if (view && video === now.video) await changed(view);
}

/** Edits of other reviewers, and videos that are annotated meanwhile. */
async function look() {
  try {
    if (!document.hidden) await lookOnce();
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    if (error.message !== trouble) wrong(error);
    trouble = error.message;
  }
  setTimeout(look, LOOK_MS);
}

async function lookOnce() {
  const [video, before] = [now.video, trouble];
  if (video < 0 || before || now.videos.some((one) => one.state !== "ready")) await showJob();
  if (now.view && video >= 0) {
    // After trouble, edits may have been made without a word, or be shown that were not.
    const view = await json(`/api/videos/${video}/view${before ? "" : `?after=${now.view.last}`}`);
    // What is dragged or typed refers to what its author saw: the page stays so until it is made.
    const busy = history.pending || stage.drags || $("ask").open;
    if (view && video === now.video && (before || view.last > now.view.last) && !busy) {
      await changed(view);
      if (!before) say("Another reviewer made an edit");
    }
  }
  if (before) say("Connected again");
  if (before === trouble) trouble = "";
}

/** The videos of the job and their states. */
async function showJob() {
  const job = await json("/api/job");
  if (history.job && history.job !== job.job) location.reload(); // it was started again for another one
  history.job = job.job;
  if (now.video >= 0 && JSON.stringify(job.videos) === JSON.stringify(now.videos)) return;
  now.videos = job.videos;
  showVideos($("videos"), job.videos, now.video, open);
  const asked = Number(new URLSearchParams(location.hash.slice(1)).get("video") ?? NaN);
  const ready = job.videos.filter((/** @type {any} */ one) => one.state === "ready");
  const first = ready.find((/** @type {any} */ one) => one.number === asked) ?? ready[0];
  if (now.video < 0 && first) await open(first.number);
  if (first) return;
  waits("No video of this job has tracks yet. This page looks again by itself.");
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
  look_("ArrowLeft", "←", "one frame back", () => commands.steer(-1, 0) || step(-1)),
  look_("ArrowRight", "→", "one frame on", () => commands.steer(1, 0) || step(1)),
  look_("Shift+ArrowLeft", "Shift+←", "ten frames back", () => commands.steerSlowly(-1, 0) || player.step(-10)),
  look_("Shift+ArrowRight", "Shift+→", "ten frames on", () => commands.steerSlowly(1, 0) || player.step(10)),
  look_("Home", "Home", "first frame", () => player.seek(0)),
  look_("End", "End", "last frame", () => player.seek(player.last)),
  look_(",", ",", "slower", () => speed(-1)),
  look_(".", ".", "faster", () => speed(1)),
  look_("n", "N", "next place to check", nextDoubt),
  look_("Shift+n", "Shift+N", "place before", doubtBefore),
  look_("PageDown", "PgDn", "next video", () => nextVideo(1)),
  look_("PageUp", "PgUp", "video before", () => nextVideo(-1)),
  look_("l", "L", "loop the range", loop),
  look_("+ =", "+", "nearer", () => stage.zoomBy(1.25)),
  look_("-", "-", "farther", () => stage.zoomBy(0.8)),
  look_("0", "0", "whole picture", () => stage.fit()),
  look_("z", "Z", "zoom to the person", zoomToPerson),
  look_("Ctrl+ArrowUp", "Ctrl+↑", "timeline nearer", () => timeline.zoomBy(0.5)),
  look_("Ctrl+ArrowDown", "Ctrl+↓", "timeline farther", () => timeline.zoomBy(2)),
  ...[["←", "Left", 1, 0], ["→", "Right", -1, 0], ["↑", "Up", 0, 1], ["↓", "Down", 0, -1]].map(([sign, name, dx, dy]) =>
    look_(`Ctrl+Shift+Arrow${name}`, `Ctrl+Shift+${sign}`, `look ${String(name).toLowerCase()}`, () => stage.panBy(Number(dx), Number(dy))),
  ),
  look_("t", "T", "light or dark", theme),
  look_("F6", "F6", "to the next part of the page, where Tab goes from button to button", () => nextPart(1)),
  look_("Shift+F6", "Shift+F6", "to the part before", () => nextPart(-1)),
  look_("?", "?", "these keys", () => help($("keys"), keys)),
  ...commands.keys,
];

listen(keys, () => document.querySelector("dialog[open]") !== null);
$("play").addEventListener("click", () => player.toggle());
$("back").addEventListener("click", () => step(-1));
$("forward").addEventListener("click", () => step(1));
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

addEventListener("hashchange", () => {
  const asked = Number(new URLSearchParams(location.hash.slice(1)).get("video") ?? NaN);
  if (asked !== now.video && now.videos.some((one) => one.number === asked)) open(asked);
});
await showJob().catch(wrong);
look();
