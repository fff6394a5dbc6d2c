// The edits that keys, buttons and the pointer make.
// @ts-check
import { element } from "./keys.js";

/** @typedef {{frame?: number, point?: (x: number, y: number) => void, box?: (corners: number[][]) => void,
 *   person?: (track: number) => void}} Mode */

// Screen pixels by which the arrow keys move the cross, and with Shift.
const STEP = 10;
const SMALL_STEP = 1;

/** @param {string} question @param {string} value @returns {Promise<string | null>} */
function ask(question, value) {
  const dialog = /** @type {HTMLDialogElement} */ (document.getElementById("ask"));
  const input = /** @type {HTMLInputElement} */ (dialog.querySelector("input"));
  /** @type {HTMLElement} */ (dialog.querySelector("span")).textContent = question;
  input.value = value;
  const cancel = /** @type {HTMLButtonElement} */ (dialog.querySelector("button"));
  cancel.type = "button";
  cancel.onclick = () => dialog.close("");
  dialog.returnValue = "";
  dialog.showModal();
  input.select();
  return new Promise((answer) => {
    const end = () => answer(dialog.returnValue === "ok" ? input.value.trim() : null);
    dialog.addEventListener("close", end, { once: true });
  });
}

/**
 * @param {{now: any, player: import("./player.js").Player, stage: import("./stage.js").Stage,
 *   history: import("./history.js").History, select: (track: number | null) => void,
 *   setRange: (range: [number, number] | null) => void,
 *   say: (text: string, wrong?: boolean) => void, hint: (text: string) => void}} page
 */
export function editKeys({ now, player, stage, history, select, setRange, say, hint }) {
  /** What the next clicks on the picture mean; null: they select. */
  /** @type {Mode | null} */
  let mode = null;

  const ref = () => ({ track: now.selected, frame: player.frame });
  const poseHere = () => stage.poses.find((pose) => pose.track === now.selected);

  /** Runs an edit of the selected track. @param {() => void} act */
  const chosen = (act) => () => {
    player.pause();
    if (now.selected === null) say("Select a person first: click, or Tab", true);
    else act();
  };

  /** @param {Mode | null} next @param {string} text */
  function enter(next, text) {
    mode = next;
    stage.marks = [];
    stage.cursor = null;
    stage.draw();
    hint(text);
    stage.element.classList.toggle("picking", next !== null);
  }

  const leave = () => enter(null, "");

  /** Asks for another track: by a click on the person, or by its number. @param {string} what @param {(other: number) => void} act */
  function other(what, act) {
    const near = stage.poses.find((pose) => pose.track !== now.selected)?.track;
    const rest = now.view.tracks.filter((/** @type {any} */ one) => one.id !== now.selected);
    if (!rest.length) {
      say("There is no other track", true);
      return;
    }
    const take = (/** @type {number} */ track) => {
      leave();
      if (rest.some((/** @type {any} */ one) => one.id === track)) act(track);
      else say(`There is no other track ${track}`, true);
    };
    enter({ person: take }, `${what}: click the other person, Enter to type a number, Esc to leave`);
    typed = async () => {
      const said = await ask(`${what} track`, String(near ?? rest[0].id));
      if (said !== null) take(Number(said));
    };
  }
  /** @type {(() => void) | null} */
  let typed = null;

  const rename = chosen(async () => {
    const track = now.view.tracks.find((/** @type {any} */ one) => one.id === now.selected);
    const name = await ask(`Name of track ${now.selected}`, track?.name ?? "");
    if (name !== null) history.make("name", { track: ref(), name }, "Named");
  });
  const merge = chosen(() =>
    other(`Merge into ${now.selected}`, (track) =>
      history.make("merge", { track: ref(), other: { track, frame: player.frame } }, "Merged"),
    ),
  );
  const split = chosen(() => history.make("split", { track: ref(), frame: player.frame }, "Split"));
  const swap = chosen(() =>
    other(`Swap ${now.selected} from here on with`, (track) => {
      const change = { track: ref(), other: { track, frame: player.frame }, frame: player.frame };
      history.make("swap_tracks", change, "Swapped");
    }),
  );
  const deletePose = chosen(() => {
    if (!poseHere()) return say("The selected person has no pose in this frame", true);
    const change = { track: ref(), start: player.frame, stop: player.frame + 1 };
    return history.make("delete", change, "Pose deleted");
  });
  const deleteMany = chosen(() => {
    const [start, stop] = now.range ? [now.range[0], now.range[1] + 1] : [0, player.last + 1];
    const text = now.range ? "Range of the track deleted" : "Track deleted";
    history.make("delete", { track: ref(), start, stop }, text);
  });
  const sides = chosen(() => {
    const [start, stop] = now.range ? [now.range[0], now.range[1] + 1] : [player.frame, null];
    history.make("swap_sides", { track: ref(), start, stop }, "Left and right swapped");
  });
  const hide = chosen(() => {
    const pose = poseHere();
    if (!pose || stage.keypoint === null) return say("Choose a keypoint first: click it, or K", true);
    const hidden = pose.points[3 * stage.keypoint + 2] >= 0.5;
    const keypoint = now.info.landmarks[stage.keypoint];
    const text = hidden ? "Marked hidden" : "Marked visible";
    return history.make("hide", { track: ref(), keypoint, hidden }, text);
  });

  /** Where the model is to look: a box, or hips and head. @param {object} more @param {string} what @param {string} done */
  function pointAt(more, what, done) {
    player.pause();
    const frame = player.frame;
    /** @type {number[][]} */
    const points = [];
    /** @param {object} where */
    const find = (where) => {
      leave();
      say("Looking for the person…");
      history.ask("people", { frame, ...where, ...more }, done);
    };
    enter({
      frame,
      box: (corners) => find({ corners }),
      point: (x, y) => {
        points.push([x, y]);
        stage.marks = points;
        stage.draw();
        if (points.length === 1) hint(`${what}: click the top of the head`);
        else find({ hips: points[0], head: points[1] });
      },
    }, `${what}: draw a box around them, or click the middle of the hips (arrows and Enter do too)`);
  }
  const addPerson = () => pointAt({}, "Add a person", "Person added; followed both ways");
  const lookAgain = chosen(() => pointAt({ track: now.selected, alone: true }, "Look again", "Looked again"));

  const fill = chosen(() => {
    const [start, stop] = now.range ? [now.range[0], now.range[1] + 1] : [player.frame, player.frame + 1];
    history.ask("fills", { track: now.selected, start, stop }, "Filled from pose to pose");
  });

  /** Moves the cross that points; whether there is one to move. @param {number} dx @param {number} dy */
  function steer(dx, dy) {
    if (!mode?.point) return false;
    const [x, y] = stage.cursor ? stage.toScreen(stage.cursor[0], stage.cursor[1])
      : [stage.element.clientWidth / 2, stage.element.clientHeight / 2];
    stage.cursor = stage.toPicture(x + dx, y + dy);
    stage.draw();
    return true;
  }

  /** Enter: points at the cross, or types the number of a track. */
  function confirm() {
    if (mode?.point && stage.cursor) mode.point(stage.cursor[0], stage.cursor[1]);
    else if (mode?.person) typed?.();
  }

  /** @param {number} by */
  function nextPerson(by) {
    const here = stage.poses.map((pose) => pose.track).sort((a, b) => a - b);
    const all = here.length ? here : (now.view?.tracks ?? []).map((/** @type {any} */ one) => one.id);
    if (!all.length) return;
    const place = all.indexOf(now.selected);
    select(all[(place + by + all.length + (place < 0 && by < 0 ? 1 : 0)) % all.length]);
  }

  /** @param {number} by */
  const nextKeypoint = (by) => chosen(() => {
    const count = now.info.landmarks.length;
    stage.keypoint = ((stage.keypoint ?? (by > 0 ? -1 : 0)) + by + count) % count;
    say(now.info.landmarks[stage.keypoint].replaceAll("_", " "));
    stage.draw();
  });

  /** @param {number} dx @param {number} dy @param {boolean} between */
  const nudge = (dx, dy, between) => chosen(() => {
    const pose = poseHere();
    if (!pose || stage.keypoint === null) return say("Choose a keypoint first: click it, or K", true);
    const from = [...pose.points.slice(3 * stage.keypoint, 3 * stage.keypoint + 2)];
    const to = [from[0] + dx, from[1] + dy];
    pose.points.set(to, 3 * stage.keypoint);
    stage.draw();
    return moved(pose.track, stage.keypoint, from, to, between);
  });

  /** @param {number} track @param {number} keypoint @param {number[]} from @param {number[]} to @param {boolean} between */
  function moved(track, keypoint, from, to, between) {
    const change = {
      track: { track, frame: player.frame },
      keypoint: now.info.landmarks[keypoint],
      x: to[0], y: to[1], was_x: from[0], was_y: from[1],
      between,
    };
    history.make("move", change, between ? "Moved, and between the moved frames" : "Moved");
  }

  /** @param {boolean} reviewed */
  const review = (reviewed) => () => {
    const [start, stop] = now.range ? [now.range[0], now.range[1] + 1] : [0, player.last + 1];
    const frames = now.range ? `Frames ${start} to ${stop - 1}` : "All frames";
    history.make("review", { start, stop, reviewed }, `${frames} ${reviewed ? "reviewed" : "not reviewed"}`);
  };

  function mark(/** @type {number} */ end) {
    const [a, b] = now.range ?? [player.frame, player.frame];
    if (end === 0) setRange([player.frame, Math.max(player.frame, now.range ? b : player.last)]);
    else setRange([Math.min(player.frame, now.range ? a : 0), player.frame]);
  }

  function escape() {
    if (mode) leave();
    else if (stage.keypoint !== null) [stage.keypoint, mode] = [null, null];
    else if (now.selected !== null) select(null);
    else setRange(null);
    stage.draw();
  }

  const key = (/** @type {string} */ keys, /** @type {string} */ shown, /** @type {string} */ what,
    /** @type {() => void} */ act, group = "Edit") => ({ keys, shown, what, group, act });
  const arrows = /** @type {[string, string, number, number][]} */ (
    [["←", "Left", -1, 0], ["→", "Right", 1, 0], ["↑", "Up", 0, -1], ["↓", "Down", 0, 1]]
  );
  const keys = [
    key("Tab", "Tab", "next person", () => nextPerson(1)),
    key("Shift+Tab", "Shift+Tab", "person before", () => nextPerson(-1)),
    key("r", "R", "rename", rename),
    key("m", "M", "merge another into this", merge),
    key("s", "S", "split at this frame", split),
    key("x", "X", "swap ids from here on", swap),
    key("Delete Backspace", "Del", "delete the pose here", deletePose),
    key("Shift+Delete Shift+Backspace", "Shift+Del", "delete range, or track", deleteMany),
    key("f", "F", "swap left and right", sides),
    key("a", "A", "add a person", addPerson),
    key("e", "E", "look again, in a box", lookAgain),
    key("g", "G", "fill the gap, or range, from pose to pose", fill),
    key("i", "I", "range begins here", () => mark(0), "Range"),
    key("o", "O", "range ends here", () => mark(1), "Range"),
    key("", "Shift+drag", "mark a range on the timeline", () => {}, "Range"),
    key("v", "V", "mark range, or all, as reviewed", review(true), "Range"),
    key("Shift+v", "Shift+V", "not reviewed", review(false), "Range"),
    key("k", "K", "next keypoint", nextKeypoint(1), "Keypoint"),
    key("Shift+k", "Shift+K", "keypoint before", nextKeypoint(-1), "Keypoint"),
    key("h", "H", "keypoint is hidden, or visible", hide, "Keypoint"),
    ...arrows.map(([shown, name, dx, dy]) =>
      key(`Alt+Arrow${name}`, `Alt+${shown}`, `move it a pixel ${name.toLowerCase()}`, nudge(dx, dy, false), "Keypoint"),
    ),
    ...arrows.map(([, name, dx, dy], place) =>
      key(`Alt+Shift+Arrow${name}`, place ? "" : "Alt+Shift+ ← → ↑ ↓", "the same, and evenly from where it was moved before", nudge(dx, dy, true), "Keypoint"),
    ),
    key("Ctrl+z", "Ctrl+Z", "undo", () => history.undo(), "Edit"),
    key("Ctrl+Shift+z Ctrl+y", "Ctrl+Shift+Z", "redo", () => history.redo(), "Edit"),
    key("ArrowUp", "↑ ↓ ← →", "move the cross that points", () => steer(0, -STEP)),
    key("ArrowDown", "", "", () => steer(0, STEP)),
    key("Shift+ArrowUp", "Shift+↑", "move it by a pixel", () => steer(0, -SMALL_STEP)),
    key("Shift+ArrowDown", "", "", () => steer(0, SMALL_STEP)),
    key("Enter", "Enter", "point there; type the other track's number", confirm),
    key("Escape", "Esc", "leave, unselect", escape, "Edit"),
  ];
  const shownAlways = new Set(["A", "V"]);
  // What buttons say with a range, and without one.
  const ofRange = new Map([["V", "range is reviewed"], ["Shift+V", "not reviewed"], ["Shift+Del", "delete range"], ["F", "swap left and right in it"], ["G", "fill range from its ends"]]);
  const ofAll = new Map([["V", "all is reviewed"], ["Shift+V", "not reviewed"], ["Shift+Del", "delete track"], ["F", "swap left and right"], ["G", "fill the gap here"]]);
  const shownSelected = new Set(["R", "M", "S", "X", "Del", "Shift+Del", "F", "H", "E", "G"]);

  return {
    keys,
    moved,
    /** @param {number} dx @param {number} dy */
    steer: (dx, dy) => steer(dx * STEP, dy * STEP),
    /** @param {number} dx @param {number} dy */
    steerSlowly: (dx, dy) => steer(dx * SMALL_STEP, dy * SMALL_STEP),
    picks: () => (mode?.point ? "point" : mode ? "person" : null),
    /** Another frame or person is what the next edit means: what was begun ends. @param {number | null} frame */
    leave(frame) {
      if (mode && (frame === null || (mode.frame ?? frame) !== frame)) leave();
    },
    /** @param {number[][]} corners */
    boxed: (corners) => mode?.box?.(corners),
    /** @param {number} x @param {number} y @param {{track: number, keypoint: number | null} | null} hit */
    click(x, y, hit) {
      if (mode?.point) mode.point(x, y);
      else if (mode?.person) hit && mode.person(hit.track);
      else if (!hit) select(null);
      else {
        if (hit.track !== now.selected) select(hit.track);
        stage.keypoint = hit.keypoint;
        stage.draw();
      }
    },
    /** @param {boolean} selected */
    buttons(selected) {
      return keys
        .filter((one) => shownAlways.has(one.shown) || (selected && shownSelected.has(one.shown))
          || (one.shown === "Shift+V" && now.view?.reviewed.length))
        .map((one) => {
          const what = (now.range ? ofRange.get(one.shown) : ofAll.get(one.shown)) ?? one.what;
          const button = /** @type {HTMLButtonElement} */ (element("button", what[0].toUpperCase() + what.slice(1)));
          button.append(element("kbd", one.shown));
          button.addEventListener("click", one.act);
          return button;
        });
    },
  };
}
