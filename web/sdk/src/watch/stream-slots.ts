import { isMultiplexed } from "./page.js";

/** Hands out the right to hold a long stream open. */
export interface StreamSlots {
  /** Take a slot; resolves with the function that gives it back, or with undefined if none is free. */
  take(): Promise<(() => void) | undefined>;
}

/** As many streams as one likes. */
export const UNLIMITED_SLOTS: StreamSlots = {
  take: () => Promise.resolve(() => undefined),
};

/** Streams of all tabs together: browsers open six connections to a host over HTTP/1.1, and calls need some of them. */
const SLOTS = 4;

/**
 * The streams of a page, and of all others that watch at the same origin: one a tab, and four in all.
 *
 * A watch without a slot asks at intervals, by streams that end at the head. Locks end with their tab. Over HTTP/2 there
 * is no limit. On pages that came without TLS, or may store nothing, there are no locks, and a tab knows only of itself.
 */
export class OriginSlots implements StreamSlots {
  static readonly #byOrigin = new Map<string, OriginSlots>();
  readonly #origin: string;
  #isTaken = false;

  private constructor(origin: string) {
    this.#origin = origin;
  }

  /** The slots for the origin of `url`, which all clients of a page share. */
  static of(url: string): OriginSlots {
    const { origin } = new URL(url, globalThis.location.href);
    const slots = OriginSlots.#byOrigin.get(origin) ?? new OriginSlots(origin);
    OriginSlots.#byOrigin.set(origin, slots);
    return slots;
  }

  async take(): Promise<(() => void) | undefined> {
    if (isMultiplexed(this.#origin)) {
      return () => undefined;
    }
    if (this.#isTaken) {
      return undefined;
    }
    this.#isTaken = true;
    const unlock = await lockAny(this.#origin);
    if (unlock === undefined) {
      this.#isTaken = false;
      return undefined;
    }
    return () => {
      this.#isTaken = false;
      unlock();
    };
  }
}

/** Take one of the locks for an origin; the result gives it back. Undefined if other tabs have all of them. */
async function lockAny(origin: string): Promise<(() => void) | undefined> {
  const locks = (globalThis.navigator as Partial<Navigator>).locks;
  if (locks === undefined) {
    return () => undefined;
  }
  try {
    for (let slot = 0; slot < SLOTS; slot++) {
      const unlock = await lock(locks, `milepost-stream-${slot} ${origin}`);
      if (unlock !== undefined) {
        return unlock;
      }
    }
    return undefined;
  } catch {
    return () => undefined; // the page may not use locks, as in a sandboxed frame or with its storage blocked
  }
}

/** Take a lock if it is free. It is held until the promise that its callback returns resolves. */
function lock(locks: LockManager, name: string): Promise<(() => void) | undefined> {
  return new Promise((resolve, reject) => {
    locks
      .request(name, { ifAvailable: true }, (taken) => {
        if (taken === null) {
          resolve(undefined);
          return undefined;
        }
        return new Promise<void>((unlock) => {
          resolve(unlock);
        });
      })
      .catch(reject);
  });
}
