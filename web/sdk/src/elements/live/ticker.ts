/** Calls its listeners once a second, while there are any and the page is visible. */
import { isHidden } from "../../watch/page.js";
import { Listeners } from "./listeners.js";

class Ticker {
  readonly #listeners = new Listeners();
  #timer: ReturnType<typeof setInterval> | undefined;

  add(listener: () => void): () => void {
    const remove = this.#listeners.add(listener);
    this.#timer ??= setInterval(() => {
      if (!isHidden()) this.#listeners.notify();
    }, 1000);
    return () => {
      remove();
      if (this.#listeners.count > 0) return;
      clearInterval(this.#timer);
      this.#timer = undefined;
    };
  }
}

/** The one ticker of the page: all clocks on it move together. */
export const ticker = new Ticker();
