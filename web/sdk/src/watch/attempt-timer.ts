import { sleep } from "./clock.js";
import { isHidden, onVisibility, onWake } from "./page.js";

/**
 * Says when a watch makes its next attempt: once it is due, or as soon as the network or the page is back. With
 * `pauseWhenHidden` it is paused while the page is hidden.
 */
export class AttemptTimer {
  /** When the next attempt is due, in milliseconds since 1970; 0 for at once. */
  dueAt = 0;
  readonly #pauseWhenHidden: boolean;
  #waking = new AbortController();

  constructor(pauseWhenHidden: boolean) {
    this.#pauseWhenHidden = pauseWhenHidden;
  }

  /** A method, since the answer may change while the caller awaits something. */
  isPaused(): boolean {
    return this.#pauseWhenHidden && isHidden();
  }

  /** Follow the page until the signal is aborted, and call `paused` when it pauses the watch. */
  listen(paused: () => void, { signal }: { readonly signal: AbortSignal }): void {
    if (signal.aborted) {
      return;
    }
    const endWake = onWake(() => {
      this.dueAt = 0;
      this.wake();
    });
    const endVisibility = onVisibility(() => {
      if (this.isPaused()) {
        paused();
      }
    });
    const end = (): void => {
      endWake();
      endVisibility();
    };
    signal.addEventListener("abort", end);
  }

  /** Wait until the next attempt is due, or `wake` is called. */
  waitUntilDue(): Promise<void> {
    return this.#wait(this.dueAt - Date.now());
  }

  /** Wait until `wake` is called, as it is when the page is shown. */
  waitForWake(): Promise<void> {
    return this.#wait(Infinity);
  }

  /** End a wait before its time. */
  wake(): void {
    this.#waking.abort();
  }

  async #wait(ms: number): Promise<void> {
    if (ms > 0) {
      this.#waking = new AbortController();
      await sleep(ms, this.#waking.signal);
    }
  }
}
