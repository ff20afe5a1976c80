import { type MilepostError, toMilepostError } from "../errors.js";
import type { Connection } from "../watch/connection.js";

/** What a store knows about its watch. */
export interface LiveView {
  /** How the watch is connected; undefined before it has begun. */
  readonly connection: Connection | undefined;
  /** The error that has ended the watch; undefined without one. */
  readonly error: MilepostError | undefined;
}

/** A watch as a store sees it: items that come together, and an end. */
export interface LiveWatch<Item> {
  batches(): AsyncIterable<readonly Item[]>;
  close(): void;
}

/** Items that may wait for the next frame before the watch is held back. */
const WAITING_LIMIT = 10_000;
/** Milliseconds without a listener after which a store closes its watch: components that remount keep it. */
const LINGER_MS = 500;

/** Run `work` in the next animation frame; where nothing is drawn, soon. */
function nextFrame(work: () => void): void {
  if (typeof requestAnimationFrame === "function") {
    requestAnimationFrame(work);
  } else {
    setTimeout(work);
  }
}

/**
 * A watch as an external store of React: it is open while somebody listens, folds what came in once an animation frame,
 * and then tells the listeners.
 *
 * Stores of a client are shared by key: any number of components that follow the same job have one stream.
 */
export abstract class LiveStore<Item, View extends LiveView> {
  readonly #shared: Map<string, unknown>;
  readonly #key: string;
  readonly #listeners = new Set<() => void>();
  #watch: LiveWatch<Item> | undefined;
  #waiting: Item[] = [];
  #connection: Connection | undefined;
  #error: MilepostError | undefined;
  #frameIsAsked = false;
  #roomIsLeft: (() => void) | undefined;
  #stopping: ReturnType<typeof setTimeout> | undefined;
  #view: View | undefined;

  constructor(shared: Map<string, unknown>, key: string) {
    this.#shared = shared;
    this.#key = key;
    shared.set(key, this);
    this.#stopSoon(); // a component may have asked for it, and then never have been shown
  }

  /** Listen for changes; the stream is open meanwhile. */
  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    clearTimeout(this.#stopping);
    this.#shared.set(this.#key, this);
    if (this.#watch === undefined) {
      void this.#run();
    }
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size === 0) {
        this.#stopSoon();
      }
    };
  };

  /** What is known now; the same object until that changes. */
  readonly getSnapshot = (): View => {
    this.#view ??= this.view({ connection: this.#connection, error: this.#error });
    return this.#view;
  };

  /** Open the watch. */
  protected abstract open(onConnection: (connection: Connection) => void): LiveWatch<Item>;

  /** Fold the items that came in since the last frame. */
  protected abstract fold(items: readonly Item[]): void;

  /** What is known now. */
  protected abstract view(live: LiveView): View;

  async #run(): Promise<void> {
    const watch = this.open((connection) => {
      if (this.#watch === watch) {
        this.#connection = connection;
        this.#askForFrame();
      }
    });
    this.#watch = watch;
    this.#error = undefined;
    try {
      for await (const items of watch.batches()) {
        if (this.#watch !== watch) {
          return;
        }
        for (const item of items) this.#waiting.push(item);
        this.#askForFrame();
        if (this.#waiting.length >= WAITING_LIMIT) {
          await new Promise<void>((resolve) => (this.#roomIsLeft = resolve));
        }
      }
    } catch (error) {
      if (this.#watch === watch) {
        this.#error = toMilepostError(error);
        this.#askForFrame();
      }
    }
  }

  #askForFrame(): void {
    if (!this.#frameIsAsked) {
      this.#frameIsAsked = true;
      nextFrame(() => {
        this.#frameIsAsked = false;
        this.#update();
      });
    }
  }

  #update(): void {
    const items = this.#waiting;
    this.#waiting = [];
    this.fold(items);
    this.#view = undefined;
    this.#roomIsLeft?.();
    for (const listener of this.#listeners) {
      listener();
    }
  }

  #stopSoon(): void {
    clearTimeout(this.#stopping);
    this.#stopping = setTimeout(() => {
      const watch = this.#watch;
      this.#watch = undefined; // what it tells of its end is no news of the job
      watch?.close();
      this.#waiting = [];
      this.#roomIsLeft?.();
      if (this.#shared.get(this.#key) === this) {
        this.#shared.delete(this.#key);
      }
    }, LINGER_MS);
  }
}
