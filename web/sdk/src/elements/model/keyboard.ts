/** Keys of the pages, and the commands that they stand for. */

import type { Instant } from "./instants.js";

export type Command =
  "search" | "next" | "previous" | "toggle" | "follow" | "cancel" | "retry" | "list" | "help" | "close";

/** For the help, in order. */
export const KEYS: readonly (readonly [string, Command, string])[] = [
  ["/", "search", "search the log, or the list"],
  ["j", "next", "next stage or job"],
  ["k", "previous", "previous stage or job"],
  ["Enter", "toggle", "fold or unfold the stage, open the job"],
  ["f", "follow", "follow the log"],
  ["c", "cancel", "cancel the job"],
  ["r", "retry", "retry a job that failed, was lost or cancelled"],
  ["g l", "list", "go to the list"],
  ["?", "help", "show or hide these keys"],
  ["Escape", "close", "close what is open"],
];

/** The longest time between the keys of a sequence, in milliseconds. */
const SEQUENCE_TIME = 1500;

/** Turns keys into commands, also those of two keys. */
export class Keyboard {
  #first = "";
  #pressed: Instant = 0;

  /**
   * The command of a key that was pressed; undefined if it has none, or is the first of two. `now` is when it was pressed: a busy
   * page hears of it later.
   */
  press(key: string, now: Instant): Command | undefined {
    const first = now - this.#pressed <= SEQUENCE_TIME ? this.#first : "";
    this.#first = "";
    const keys = first ? `${first} ${key}` : key;
    const found = KEYS.find(([name]) => name === keys) ?? KEYS.find(([name]) => name === key);
    if (found) return found[1];
    if (KEYS.some(([name]) => name.startsWith(`${key} `))) {
      this.#first = key;
      this.#pressed = now;
    }
    return undefined;
  }
}

/** Whether a key belongs to the browser, as Alt and an arrow go back to the page before. */
export function hasModifier({ ctrlKey, metaKey, altKey }: KeyboardEvent): boolean {
  return ctrlKey || metaKey || altKey;
}

/** Whether a key belongs to what has the focus, or to the browser. */
export function isForeignKey(event: KeyboardEvent): boolean {
  if (hasModifier(event) || event.defaultPrevented || event.isComposing) return true;
  const path = event.composedPath();
  const [target] = path;
  if (!(target instanceof Element)) return false;
  // What a dialog had focused keeps the focus until the next frame after it is closed.
  if (event.key === "Escape" || target.closest("dialog:not([open])")) return false;
  if (target.matches("input, textarea, select, [contenteditable]")) return true;
  // What is behind an open dialog is out of reach; one key shows and hides the keys themselves.
  if (path.some((node) => node instanceof HTMLDialogElement && node.open)) return event.key !== "?";
  return event.key === "Enter" && target.matches("button, a, summary, [role=tab]");
}
