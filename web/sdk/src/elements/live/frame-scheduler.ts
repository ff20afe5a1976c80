/** Call `work` once in the next animation frame, however often it is asked for until then. */
export class FrameScheduler {
  #asked = false;

  constructor(readonly work: () => void) {}

  request(): void {
    if (this.#asked) return;
    this.#asked = true;
    requestAnimationFrame(() => {
      this.#asked = false;
      this.work();
    });
  }
}
