// What the page asks of the server, and what the server says.
// @ts-check

/** An answer that says what is wrong and what to do next. */
export class Refused extends Error {
  /** @param {number} code @param {string} message @param {string} hint */
  constructor(code, message, hint) {
    super(message);
    this.code = code;
    this.hint = hint;
  }
}

/** @param {string} path @param {RequestInit} [options] */
async function asked(path, options) {
  const answer = await fetch(path, options).catch(() => {
    throw new Refused(0, "annotate review has ended", "Start it again and open its address.");
  });
  if (answer.ok) return answer;
  const other = { message: "annotate review was started again", hint: "Open the address that it printed." };
  const said = answer.status === 403 ? other : await answer.json().catch(() => ({ message: answer.statusText, hint: "" }));
  throw new Refused(answer.status, said.message, said.hint);
}

/** JSON of a path; null where nothing is new. @param {string} path */
export async function json(path) {
  const answer = await asked(path);
  return answer.status === 204 ? null : answer.json();
}

/** @param {string} path */
export async function binary(path) {
  return (await asked(path)).arrayBuffer();
}

/** @param {string} path @param {object} body */
export async function post(path, body) {
  const headers = { "content-type": "application/json" };
  return (await asked(path, { method: "POST", headers, body: JSON.stringify(body) })).json();
}
