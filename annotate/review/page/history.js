// Edits on their way to the server, and what this page undoes and redoes.
// @ts-check
import { post, Refused } from "./api.js";

export class History {
  /**
   * @param {(view: any) => void} changed gets the tracks as the edit made them
   * @param {(text: string, wrong?: boolean) => void} say
   */
  constructor(changed, say) {
    this.changed = changed;
    this.say = say;
    this.video = 0;
    this.after = 0;
    /** @type {number[]} */
    this.done = []; // numbers of own edits that can be undone
    /** @type {number[]} */
    this.undone = []; // numbers of own undos that can be undone
    this.queue = Promise.resolve(false);
  }

  /** @param {number} video @param {number} last */
  open(video, last) {
    [this.video, this.after, this.done, this.undone] = [video, last, [], []];
  }

  /**
   * Makes an edit, after those that are on their way.
   * @param {string} kind @param {object} change @param {string} text what is said once it is made
   */
  make(kind, change, text) {
    return this.#send("edits", { kind, change }, text, (number) => {
      this.done.push(number);
      this.undone = [];
    });
  }

  /** Lets the model find a person. @param {object} where @param {string} text */
  find(where, text) {
    return this.#send("people", where, text, (number) => {
      this.done.push(number);
      this.undone = [];
    });
  }

  undo() {
    const number = this.done.pop();
    if (number === undefined) return this.say("Nothing to undo here; `annotate edits` undoes older edits.");
    return this.#send("edits", { kind: "undo", change: { edit: number } }, "Undone", (own) =>
      this.undone.push(own),
    );
  }

  redo() {
    const number = this.undone.pop();
    if (number === undefined) return this.say("Nothing to redo");
    return this.#send("edits", { kind: "undo", change: { edit: number } }, "Done again", (own) =>
      this.done.push(own),
    );
  }

  /** @param {string} path @param {object} body @param {string} text @param {(number: number) => void} made */
  #send(path, body, text, made) {
    this.queue = this.queue.then(async () => {
      try {
        const answer = await post(`/api/videos/${this.video}/${path}`, { ...body, after: this.after });
        this.after = answer.last;
        made(answer.edit);
        this.changed(answer);
        this.say(text);
        return true;
      } catch (error) {
        if (!(error instanceof Refused)) throw error;
        this.say(`${error.message}. ${error.hint}`, true);
        return false;
      }
    });
    return this.queue;
  }
}
