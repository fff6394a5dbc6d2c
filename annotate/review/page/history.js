// Edits on their way to the server, and what this page undoes and redoes.
// @ts-check
import { post } from "./api.js";

// Milliseconds after which the page says that an edit is on its way.
const SLOW_MS = 800;

export class History {
  /**
   * @param {(view: any) => Promise<void>} changed gets the tracks as the edit made them
   * @param {(text: string, wrong?: boolean) => void} say @param {(error: unknown) => void} wrong
   */
  constructor(changed, say, wrong) {
    this.changed = changed;
    this.say = say;
    this.wrong = wrong;
    this.job = "";
    this.video = 0;
    this.after = 0;
    /** @type {number[]} */
    this.done = []; // numbers of own edits that can be undone
    /** @type {number[]} */
    this.undone = []; // numbers of own undos that can be undone
    this.queue = Promise.resolve(false);
    this.pending = 0; // edits on their way
    this.refused = () => {}; // shows the tracks as they are, after an edit that was not made
  }

  /** @param {number} video @param {number} last @param {number[]} own edits that can be undone */
  open(video, last, own) {
    [this.video, this.after, this.done, this.undone] = [video, last, [...own], []];
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

  /** Lets the server make poses. @param {"people" | "fills"} path @param {object} where @param {string} text */
  ask(path, where, text) {
    return this.#send(path, where, text, (number) => {
      this.done.push(number);
      this.undone = [];
    });
  }

  undo() {
    const number = this.done.pop();
    if (number === undefined) return this.say("Nothing to undo; `annotate edits` undoes edits of earlier visits");
    return this.#send("edits", { kind: "undo", change: { edit: number } }, "Undone", (own) =>
      this.undone.push(own),
    ).then((made) => made || this.done.push(number));
  }

  redo() {
    const number = this.undone.pop();
    if (number === undefined) return this.say("Nothing to redo");
    return this.#send("edits", { kind: "undo", change: { edit: number } }, "Done again", (own) =>
      this.done.push(own),
    ).then((made) => made || this.undone.push(number));
  }

  /** @param {string} path @param {object} body @param {string} text @param {(number: number) => void} made */
  #send(path, body, text, made) {
    const video = this.video;
    this.pending += 1;
    this.queue = this.queue.then(async () => {
      const slow = setTimeout(() => this.say("Saving…"), SLOW_MS);
      try {
        const answer = await post(`/api/videos/${video}/${path}`, { ...body, job: this.job, after: this.after });
        if (video !== this.video) return true; // another video was opened meanwhile
        this.after = answer.last;
        made(answer.edit);
        this.say(text);
        // Of several edits in a row, the page shows what the last one made.
        if (this.pending === 1) this.changed(answer).catch(this.wrong);
        return true;
      } catch (error) {
        this.wrong(error);
        if (video === this.video) this.refused();
        return false;
      } finally {
        clearTimeout(slow);
        this.pending -= 1;
      }
    });
    return this.queue;
  }
}
