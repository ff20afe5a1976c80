import type { Calls } from "../calls.js";
import {
  type MilepostError,
  ServiceError,
  Silent,
  StreamsBlocked,
  TokenUnavailable,
  Unreachable,
  isTransient,
  toMilepostError,
} from "../errors.js";
import type { CallCredential } from "../token.js";
import { Backoff } from "./backoff.js";
import { sleep, unlessAborted } from "./clock.js";
import type { Connection } from "./connection.js";
import { isHidden, onVisibility, onWake } from "./page.js";
import { CANCELLED, END, StreamReader } from "./stream-reader.js";
import type { StreamSlots } from "./stream-slots.js";
import { TransportFallback } from "./transport-fallback.js";
import type { GapItem, WatchCursor } from "./watch-cursor.js";
import type { WatchOptions } from "./watch-options.js";
import type { WatchTiming } from "./watch-timing.js";

/** Milliseconds between two signs of life of an idle stream, unless the caller asks for others. */
const STATUS_INTERVAL_MS = 10_000;
/** A stream without any frame for this many status intervals, and a margin, counts as lost. */
const SILENT_INTERVALS = 2.5;
/** Default of `connectTimeoutMs`. */
const CONNECT_TIMEOUT_MS = 30_000;

/** Fields of a connection that say how far it is. */
const PROGRESS: readonly (keyof Connection)[] = ["received", "head"];

const STREAMS_BLOCKED = new StreamsBlocked();

/** What a watch needs of its client. */
export interface WatchContext {
  readonly calls: Calls;
  readonly timing: WatchTiming;
  readonly slots: StreamSlots;
  /** Give up a connection on which nothing comes any more, so that the next stream goes over another one. */
  readonly dropConnection: () => void;
}

/**
 * Base of all watches: opens one stream after another until the watch is complete.
 *
 * An async iterable that is iterated once. Leaving the loop, `close()` and the signal of the options cancel the stream
 * at the server.
 */
export abstract class ReconnectingStream<
  Frame,
  Item extends { readonly type: string },
> implements AsyncIterable<Item> {
  protected readonly context: WatchContext;
  protected readonly cursor: WatchCursor<Frame, Item>;
  readonly #options: WatchOptions;
  readonly #credential: CallCredential;
  readonly #backoff: Backoff;
  readonly #fallback: TransportFallback;
  readonly #reader = new StreamReader<Frame>();
  readonly #closing = new AbortController();
  readonly #batches: AsyncGenerator<readonly Item[], void, undefined>;
  /** Ends a wait before its time. */
  #waking = new AbortController();
  #connectedBefore = false;
  #connectDeadline: number | undefined;
  #recovering = false;
  #retryAt = 0;
  #restartedAt: number | undefined;
  #staleSince: number | undefined;
  #releaseSlot: (() => void) | undefined;
  /** Whether the current stream ends at the head, and whether one that did was asked about the end of the job. */
  #finite = false;
  #askedForEnd = false;
  #connection: Connection;

  constructor(context: WatchContext, cursor: WatchCursor<Frame, Item>, options: WatchOptions) {
    const { timing, calls } = context;
    this.context = context;
    this.cursor = cursor;
    this.#options = options;
    this.#credential = calls.credential();
    this.#backoff = new Backoff({ initialMs: timing.backoffMs, maximumMs: timing.maximumBackoffMs });
    this.#fallback = new TransportFallback(timing.streamRetryMs);
    this.#connection = this.#describe("connecting");
    this.#batches = this.#run();
  }

  /** Epoch of the server's store; empty until connected. Keep it with the cursor. */
  get epoch(): string {
    return this.cursor.epoch;
  }

  /** The newest known sequence or, in a watch of many jobs, position. */
  get head(): bigint {
    return this.cursor.head;
  }

  /** Whether the watch has reached the head, so that further events are live. */
  get caughtUp(): boolean {
    return this.cursor.caughtUp;
  }

  /**
   * The server's clock minus this one's in milliseconds; undefined until connected. Add it to `Date.now()` to compare
   * with the times of jobs.
   */
  get clockOffsetMs(): number | undefined {
    return this.cursor.clockOffsetMs;
  }

  /** How the watch is connected; `onConnection` of the options is called with each change. */
  get connection(): Connection {
    return this.#connection;
  }

  /**
   * Iterate over all items received so far at a time, which costs less than single items.
   *
   * A batch without items says that something else is new, such as the estimate of the job.
   */
  batches(): AsyncIterableIterator<readonly Item[]> {
    return this.#batches;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Item, void, undefined> {
    for await (const items of this.#batches) {
      for (const [index, item] of items.entries()) {
        this.onYield(item, index === items.length - 1);
        yield item;
      }
    }
  }

  /** Aborted when the watch ends, for the calls that it makes. */
  protected get closing(): AbortSignal {
    return this.#closing.signal;
  }

  /** End the watch: cancel the stream at the server, and end the iteration. Jobs go on. */
  close(): void {
    this.#closing.abort();
    this.#waking.abort();
    this.#reader.cancel();
  }

  /** A new stream from the cursor; a finite one ends at the head. */
  protected abstract open(
    finite: boolean,
    headers: Record<string, string>,
    signal: AbortSignal,
  ): AsyncIterable<Frame>;

  /** Call the server. The result accepts the answer: it returns the items in it, or undefined if it cannot replace events. */
  protected abstract ask(timeoutMs: number): Promise<() => readonly Item[] | undefined>;

  /** Note that an item was yielded; `last`: no received item is left. */
  protected abstract onYield(item: Item, last: boolean): void;

  /** Items to fetch by calls before the stream goes on. */
  protected fetchMissing(): Promise<readonly Item[]> {
    return Promise.resolve([]);
  }

  /** Whether something else than items has changed since this was last asked. */
  protected isNews(): boolean {
    return false;
  }

  /** Whether the last item was received. */
  protected isComplete(): boolean {
    return false;
  }

  /** Whether the watch is complete, at the end of a stream that does not say so. */
  protected hasEnded(): Promise<boolean> {
    return Promise.resolve(false);
  }

  async *#run(): AsyncGenerator<readonly Item[], void, undefined> {
    const { signal } = this.#options;
    const close = (): void => {
      this.close();
    };
    const endings = this.#listen();
    signal?.addEventListener("abort", close);
    try {
      signal?.throwIfAborted();
      const timeoutMs = this.#options.connectTimeoutMs ?? CONNECT_TIMEOUT_MS;
      this.#connectDeadline = Date.now() + timeoutMs;
      this.#notify("connecting");
      while (!this.#isClosed()) {
        const items = await this.#advance();
        signal?.throwIfAborted();
        const isNew = this.isNews();
        if ((items.length > 0 || isNew) && !this.#isClosed()) {
          yield items;
        }
        if (this.isComplete()) {
          await this.#reader.drain();
          break;
        }
      }
    } finally {
      signal?.removeEventListener("abort", close);
      for (const end of endings) {
        end();
      }
      this.close();
      this.#giveSlotBack();
      this.#notify("ended");
    }
    signal?.throwIfAborted();
  }

  /** A method, since the answer may change while the caller awaits something. */
  #isClosed(): boolean {
    return this.#closing.signal.aborted;
  }

  /** Follow the page: wake up when it does, and give the stream back while it is hidden, if that is wanted. */
  #listen(): readonly (() => void)[] {
    const endings = [
      onWake(() => {
        this.#retryAt = 0;
        this.#waking.abort();
      }),
    ];
    if (this.#options.pauseWhenHidden === true) {
      endings.push(
        onVisibility(() => {
          if (isHidden()) {
            this.#reader.cancel();
          } else {
            this.#waking.abort();
          }
        }),
      );
    }
    return endings;
  }

  /** The items of the next step, possibly none; a transient error schedules another attempt. */
  async #advance(): Promise<readonly Item[]> {
    try {
      return await this.#step();
    } catch (thrown) {
      return this.#isClosed() ? [] : this.#onError(toMilepostError(thrown));
    }
  }

  /** Open a stream if there is none, and return the items of its next frame. */
  async #step(): Promise<readonly Item[]> {
    await this.#pauseWhileHidden();
    await this.#wait(this.#retryAt - Date.now());
    if (this.#isClosed() || this.#isPaused()) {
      return [];
    }
    const fetched = await this.fetchMissing();
    if (fetched.length > 0) {
      return fetched;
    }
    if (!this.#reader.isOpen) {
      this.#fallback.retryStream(Date.now());
      if (this.#fallback.mode === "call") {
        return this.#poll();
      }
      await this.#open();
    }
    const frame = await this.#reader.read(this.#readTimeoutMs);
    if (frame === CANCELLED) {
      return [];
    }
    if (frame === END) {
      await this.#onStreamEnd();
      return [];
    }
    const wasOpened = this.cursor.opened;
    const items = this.cursor.accept(frame);
    if (!wasOpened && this.cursor.opened) {
      this.#credential.accepted();
      this.#fallback.streamOpened();
      this.#connectedBefore = true;
    }
    if (items.length > 0 || this.cursor.reachedHead) {
      this.#backoff.reset();
      this.#recovering = false;
    }
    this.#noteProgress(items);
    return items;
  }

  #isPaused(): boolean {
    return this.#options.pauseWhenHidden === true && isHidden();
  }

  async #pauseWhileHidden(): Promise<void> {
    if (this.#isPaused()) {
      this.#reader.cancel();
      this.#giveSlotBack();
      this.#becomeStale();
      this.#notify("paused");
      while (this.#isPaused() && !this.#isClosed()) {
        await this.#wait(Infinity);
      }
      this.#retryAt = 0;
    }
  }

  /** Wait until the time is over, the network or the page is back, or the watch is closed. */
  async #wait(ms: number): Promise<void> {
    if (ms > 0 && !this.#isClosed()) {
      this.#waking = new AbortController();
      await sleep(ms, this.#waking.signal);
    }
  }

  async #open(): Promise<void> {
    const headers = await unlessAborted(this.#credential.headers(), this.#closing.signal);
    const isLong = this.#fallback.mode === "stream" && this.#options.follow !== false;
    if (isLong) {
      this.#releaseSlot ??= await this.context.slots.take();
      if (this.#isClosed()) {
        this.#giveSlotBack();
        return;
      }
    }
    this.#finite = !isLong || this.#releaseSlot === undefined;
    this.#reader.open((signal) => this.open(this.#finite, headers, signal));
  }

  #giveSlotBack(): void {
    this.#releaseSlot?.();
    this.#releaseSlot = undefined;
  }

  /** Whether the watch asks at intervals now, because streams are blocked or all slots for streams are taken. */
  get #isPolling(): boolean {
    return this.#fallback.mode === "call" || this.#finite;
  }

  /** Why the watch polls, if streams are blocked. */
  get #blocked(): MilepostError | undefined {
    return this.#fallback.mode === "stream" ? undefined : STREAMS_BLOCKED;
  }

  /** Milliseconds of silence after which the connection counts as lost. */
  get #readTimeoutMs(): number {
    const { silenceMs, probeMs } = this.context.timing;
    const silence = SILENT_INTERVALS * (this.#options.statusIntervalMs ?? STATUS_INTERVAL_MS) + silenceMs;
    if (this.cursor.opened) {
      return silence;
    }
    return Math.min(silence, this.#fallback.blockedStreams > 0 ? probeMs : this.context.calls.timeoutMs);
  }

  async #poll(): Promise<readonly Item[]> {
    const accept = await this.ask(this.context.calls.timeoutMs);
    const items = accept();
    if (items === undefined) {
      throw STREAMS_BLOCKED;
    }
    this.#retryAt = Date.now() + this.context.timing.pollMs;
    this.#noteProgress(items);
    return items;
  }

  /** Handle a stream that ended without an error: unless the watch is complete, it was cut. */
  async #onStreamEnd(): Promise<void> {
    const { complete, reachedHead } = this.cursor;
    // A stream that starts behind the end of a job has no event of it. Those that go on from there have one.
    const isUnclear = reachedHead && !(this.#finite && this.#askedForEnd);
    if (complete || (isUnclear && (await this.hasEnded()))) {
      this.close();
    } else if (reachedHead && this.#finite) {
      this.#askedForEnd = true;
      this.#retryAt = Date.now() + this.context.timing.pollMs;
    } else {
      throw new Unreachable("the stream ended before the job did");
    }
  }

  /** Schedule another attempt, or throw the error; return the items to yield instead of it. */
  async #onError(error: MilepostError): Promise<readonly Item[]> {
    const { opened } = this.cursor;
    this.#reader.cancel();
    if (error instanceof Silent) {
      this.context.dropConnection();
    }
    const items = this.cursor.recover(error);
    const { renewed, cause } = await this.#renewToken(error);
    if (this.#isClosed()) {
      return [];
    }
    const now = Date.now();
    const patient = this.#connectedBefore || this.#options.connectTimeoutMs === Infinity;
    if (items === undefined && !renewed && !isTransient(cause, patient)) {
      throw cause;
    }
    let waitMs = 0;
    if (items === undefined || this.#recovering) {
      // A gap is skipped at once, but not again and again.
      waitMs = renewed ? 0 : this.#backoff.next(cause instanceof ServiceError ? cause.retryDelayMs : 0);
    }
    this.#retryAt = now + waitMs;
    this.#becomeStale();
    this.#notify(this.#connectedBefore ? "reconnecting" : "connecting", cause);
    if (items !== undefined) {
      this.#recovering = true;
      this.#noteProgress(items);
      return items;
    }
    const last =
      !this.#connectedBefore && this.#connectDeadline !== undefined && now >= this.#connectDeadline;
    if (!opened) {
      await this.#checkTransport(cause, last);
    }
    if (last && this.#fallback.mode === "stream") {
      throw cause;
    }
    return [];
  }

  async #renewToken(error: MilepostError): Promise<{ renewed: boolean; cause: MilepostError }> {
    try {
      return { renewed: await this.#credential.renew(error), cause: error };
    } catch (unavailable) {
      return { renewed: false, cause: toMilepostError(unavailable) };
    }
  }

  /** After a stream that did not open, find out whether only streams are blocked, and choose the transport mode. */
  async #checkTransport(error: MilepostError, last: boolean): Promise<void> {
    if (error instanceof TokenUnavailable) {
      return; // there was no stream
    }
    if (error instanceof ServiceError && error.reason !== "UNSPECIFIED") {
      this.#fallback.streamOpened(); // the server received and refused it
    } else if (this.#fallback.mode === "call") {
      this.#fallback.callFailed();
    } else if (this.#fallback.streamFailed(last)) {
      const answered = await this.#serverAnswers();
      if (this.#fallback.probed(answered, Date.now(), last)) {
        this.#connectedBefore = true;
        this.#giveSlotBack();
        this.#retryAt = 0;
        this.#notify("polling", this.#blocked);
      }
    }
  }

  /** Whether the server answers a call now. Throws what no other attempt would change. */
  async #serverAnswers(): Promise<boolean> {
    try {
      await this.ask(Math.min(this.context.timing.probeMs, this.context.calls.timeoutMs));
      return true;
    } catch (thrown) {
      const error = toMilepostError(thrown);
      if (isTransient(error, true)) {
        return false;
      }
      throw error;
    }
  }

  /** Note what came in, and tell how the watch is connected now. */
  #noteProgress(items: readonly Item[]): void {
    const gap = items.find((item): item is Item & GapItem => item.type === "gap");
    if (gap?.why === "restarted") {
      this.#restartedAt = Date.now();
    }
    if (!this.cursor.opened && this.#fallback.mode !== "call") {
      return;
    }
    if (this.cursor.reachedHead || this.#fallback.mode === "call") {
      this.#staleSince = undefined;
      this.#notify(this.#isPolling ? "polling" : "live", this.#blocked);
    } else if (this.#connection.state !== "polling") {
      this.#notify("catching-up"); // one that polls catches up each time
    }
  }

  #becomeStale(): void {
    if (this.#connectedBefore) {
      this.#staleSince ??= Date.now();
    }
  }

  #describe(state: Connection["state"], error?: MilepostError): Connection {
    return {
      state,
      received: this.cursor.resumeAfter,
      head: this.cursor.head,
      retryAt: state === "reconnecting" ? this.#retryAt : undefined,
      error,
      staleSince: this.#staleSince,
      restartedAt: this.#restartedAt,
      storeAway: this.cursor.storeAway,
      fruitless: this.#backoff.fruitless,
    };
  }

  #notify(state: Connection["state"], error?: MilepostError): void {
    const before = this.#connection;
    this.#connection = this.#describe(state, error);
    const now = this.#connection;
    const isNews = (Object.keys(now) as (keyof Connection)[]).some(
      // How far a live watch is changes with each event; that alone is no news.
      (name) => before[name] !== now[name] && (state === "catching-up" || !PROGRESS.includes(name)),
    );
    if (isNews) {
      this.#options.onConnection?.(now);
    }
  }
}
