// The keys of the page: what each does, and the help that lists them.
// @ts-check

/**
 * `shown` is empty where another line of the help says what the key does.
 * @typedef {{keys: string, shown: string, what: string, group: string, act: () => void}} Key
 */

// The parts of the page that hold buttons.
const PARTS = "header, nav, aside, footer";

/** Moves the focus to the next part of the page that has a button. @param {number} by */
export function nextPart(by) {
  const buttons = [...document.querySelectorAll(PARTS)]
    .map((part) => /** @type {HTMLElement | null} */ (part.querySelector("button:enabled")))
    .filter((button) => button?.checkVisibility());
  const stage = document.getElementById("stage");
  const places = [stage, ...buttons];
  const part = document.activeElement?.closest(PARTS);
  const place = Math.max(0, places.findIndex((one) => one?.closest(PARTS) === part && part));
  places[(place + by + places.length) % places.length]?.focus();
}

/** What gives the focus back to the button of a list that is about to be made anew. */
export function keptFocus() {
  const list = document.activeElement?.closest("ul, ol, #actions");
  if (!list) return () => {};
  const place = [...list.querySelectorAll("button")].findIndex((one) => one === document.activeElement);
  return () => {
    const buttons = list.querySelectorAll("button");
    buttons[Math.min(place, buttons.length - 1)]?.focus();
  };
}

/** Name of a key press, such as `Ctrl+z`, `Shift+ArrowLeft` or `?`. @param {KeyboardEvent} event */
export function pressed(event) {
  const named = event.key.length > 1;
  const letter = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  const isLetter = /^[a-z]$/.test(letter);
  const parts = [];
  if (event.ctrlKey || event.metaKey) parts.push("Ctrl");
  if (event.altKey) parts.push("Alt");
  if (event.shiftKey && (named || isLetter)) parts.push("Shift");
  return [...parts, letter].join("+");
}

/** @param {Key[]} keys @param {() => boolean} off whether keys are off, as while a dialog is open */
export function listen(keys, off) {
  const acts = new Map(keys.flatMap((key) => key.keys.split(" ").map((one) => [one, key.act])));
  document.addEventListener("keydown", (event) => {
    const target = /** @type {HTMLElement} */ (event.target);
    if (off() || target.matches("input, select")) return;
    const name = pressed(event);
    // Where the focus came by keys, Tab goes on to the next button.
    if (/^(Shift\+)?Tab$/.test(name) && target.closest(PARTS) && target.matches(":focus-visible")) return;
    if (target.matches("button") && (name === "Enter" || name === " ")) return;
    const act = acts.get(name === " " ? "Space" : name);
    if (!act) return;
    event.preventDefault();
    act();
  });
}

/** @param {HTMLDialogElement} dialog @param {Key[]} keys */
export function help(dialog, keys) {
  const parts = [element("h2", "Keys")];
  const columns = element("div", "");
  columns.className = "columns";
  for (const group of new Set(keys.map((key) => key.group))) {
    const list = document.createElement("dl");
    for (const key of keys.filter((one) => one.group === group && one.shown)) {
      const row = document.createElement("div");
      const term = document.createElement("dt");
      for (const one of key.shown.split(" ")) term.append(element("kbd", one), " ");
      row.append(term, element("dd", key.what));
      list.append(row);
    }
    const part = document.createElement("section");
    part.append(element("h3", group), list);
    columns.append(part);
  }
  const close = element("button", "Close");
  close.addEventListener("click", () => dialog.close());
  parts.push(columns, close);
  dialog.replaceChildren(...parts);
  dialog.showModal();
}

/** @param {string} name @param {string} text */
export function element(name, text) {
  const made = document.createElement(name);
  made.textContent = text;
  return made;
}
