import { FrameScheduler } from "./frame-scheduler.js";

/** Items that are taken in one frame, so that no frame is long; the rest follow in the next. */
const FRAME_ITEMS = 4000;
/** Items that wait for their frames at most, besides those that came with the last of them. */
const MAX_ITEMS = 10_000;

/** What comes between two animation frames, and is taken once a frame. A stream that brings more is held back. */
export class FrameQueue<Item> {
  #items: Item[] = [];
  /** Resolve the adds that wait for room. */
  #waiting: (() => void)[] = [];
  readonly #frames: FrameScheduler;

  constructor(take: (items: readonly Item[]) => void) {
    this.#frames = new FrameScheduler(() => {
      const items = this.#items.splice(0, FRAME_ITEMS);
      if (this.#items.length > 0) this.request();
      if (this.#items.length < MAX_ITEMS) for (const resume of this.#waiting.splice(0)) resume();
      take(items);
    });
  }

  get isEmpty(): boolean {
    return this.#items.length === 0;
  }

  /** Deliver what is queued in the next frame, even if that is nothing. */
  request(): void {
    this.#frames.request();
  }

  /** Add items; resolves when there is room for others. */
  async add(items: readonly Item[]): Promise<void> {
    for (const item of items) this.#items.push(item);
    this.request();
    if (this.#items.length < MAX_ITEMS) return;
    await new Promise<void>((resolve) => {
      this.#waiting.push(resolve);
    });
  }
}
