import { Silent, toMilepostError } from "../errors.js";
import { deadline } from "./clock.js";

/** Milliseconds to wait for the server to end a stream after its last event. */
const DRAIN_MS = 500;

/** What `StreamReader.read` returns instead of a frame. */
export const END = Symbol("end of the stream");
export const CANCELLED = Symbol("the stream was cancelled");

/**
 * Reads one stream at a time, frame by frame.
 *
 * Frames after the first are asked for only when they are read, so that a consumer which stalls holds the stream back.
 */
export class StreamReader<Frame> {
  #abort = new AbortController();
  #frames: AsyncIterator<Frame> | undefined;
  /** The first frame of the stream, until it is read. */
  #first: Promise<IteratorResult<Frame>> | undefined;
  /** Resolves a pending read when the stream is cancelled. */
  #cancelled: (() => void) | undefined;

  /** Whether there is a stream. */
  get isOpen(): boolean {
    return this.#frames !== undefined;
  }

  /** Read from this stream from now on; it ends when the signal is aborted. */
  open(stream: (signal: AbortSignal) => AsyncIterable<Frame>): void {
    this.#abort = new AbortController();
    this.#frames = stream(this.#abort.signal)[Symbol.asyncIterator]();
    // Asked for at once: the error of a stream that is cancelled before somebody reads would be unhandled.
    this.#first = this.#frames.next();
    this.#first.catch(() => undefined);
  }

  /** The next frame. Throws what the stream throws, as a MilepostError, and Silent after `timeoutMs`. */
  async read(timeoutMs: number): Promise<Frame | typeof END | typeof CANCELLED> {
    const frames = this.#frames;
    if (frames === undefined) {
      return CANCELLED;
    }
    let end = (): void => undefined;
    const other = new Promise<typeof CANCELLED>((resolve, reject) => {
      this.#cancelled = () => {
        resolve(CANCELLED);
      };
      end = deadline(timeoutMs, () => {
        reject(new Silent(timeoutMs));
      });
    });
    const next = this.#first ?? frames.next();
    this.#first = undefined;
    try {
      const result = await Promise.race([next, other]);
      if (this.#frames !== frames || result === CANCELLED) {
        return CANCELLED;
      }
      if (result.done === true) {
        this.#frames = undefined;
        return END;
      }
      return result.value;
    } catch (error) {
      if (this.#frames !== frames) {
        return CANCELLED;
      }
      throw toMilepostError(error);
    } finally {
      end();
      next.catch(() => undefined); // nobody waits for it any more
    }
  }

  /** Read to the end of the stream after its last event; cancel it if the server does not end it in time. */
  async drain(): Promise<void> {
    try {
      while (typeof (await this.read(DRAIN_MS)) !== "symbol");
    } catch {
      // it is cancelled below
    }
    this.cancel();
  }

  /** Cancel the stream at the server. */
  cancel(): void {
    if (this.#frames !== undefined) {
      this.#frames = undefined;
      this.#abort.abort();
    }
    this.#cancelled?.();
  }
}
