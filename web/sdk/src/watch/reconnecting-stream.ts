import { MilepostError, ServiceError, Silent, Unreachable, isTransient } from "../errors.js";
import type { CallCredential } from "../token.js";
import { AttemptTimer } from "./attempt-timer.js";
import { Backoff } from "./backoff.js";
import { unlessAborted } from "./clock.js";
import type { Connection } from "./connection.js";
import { ConnectionStatus } from "./connection-status.js";
import { NodeLag } from "./node-lag.js";
import { shownTime } from "./page.js";
import { CANCELLED, END, StreamReader } from "./stream-reader.js";
import { STREAMS_BLOCKED, Transport } from "./transport.js";
import { UnexplainedErrors } from "./unexplained-errors.js";
import type { WatchContext } from "./watch-context.js";
import type { WatchCursor } from "./watch-cursor.js";
import { STATUS_INTERVAL_MS, type WatchOptions } from "./watch-options.js";

/** A stream without any frame for this many status intervals, and a margin, counts as lost. */
const SILENT_INTERVALS = 2.5;
/** Default of `connectTimeoutMs`. */
const CONNECT_TIMEOUT_MS = 30_000;

/**
 * Base of all watches: opens one stream after another until the watch is complete.
 *
 * An async iterable that is iterated once. Leaving the loop, `close()` and the signal of the options cancel the stream
 * at the server.
 */
export abstract class ReconnectingStream<
  Frame extends { readonly frame: { readonly case: string | undefined } },
  Item extends { readonly type: string },
> implements AsyncIterable<Item> {
  protected readonly context: WatchContext;
  protected readonly cursor: WatchCursor<Frame, Item>;
  readonly #options: WatchOptions;
  readonly #credential: CallCredential;
  readonly #backoff: Backoff;
  readonly #transport: Transport;
  readonly #status: ConnectionStatus;
  readonly #timer: AttemptTimer;
  readonly #lag: NodeLag;
  readonly #unexplained = new UnexplainedErrors();
  readonly #reader = new StreamReader<Frame>();
  readonly #closing = new AbortController();
  readonly #batches: AsyncGenerator<readonly Item[], void, undefined>;
  /** Milliseconds that the page was shown since the watch began. */
  #sinceStart = (): number => 0;
  /** Of the current stream, or the last one; see `WatchContext`. */
  #leaveConnection = (): void => undefined;
  #recovering = false;
  /** Whether, after a stream that ended at the head, the server was asked about the end of the job. */
  #askedForEnd = false;
  /** What `onConnection` threw, which ends the watch. */
  #thrown: { readonly error: unknown } | undefined;

  constructor(context: WatchContext, cursor: WatchCursor<Frame, Item>, options: WatchOptions) {
    const { timing, calls } = context;
    this.context = context;
    this.cursor = cursor;
    this.#options = options;
    this.#credential = calls.credential();
    this.#backoff = new Backoff({ initialMs: timing.backoffMs, maximumMs: timing.maximumBackoffMs });
    this.#transport = new Transport(context);
    this.#lag = new NodeLag(options.connectTimeoutMs ?? CONNECT_TIMEOUT_MS);
    const timer = new AttemptTimer(options.pauseWhenHidden === true);
    this.#timer = timer;
    this.#status = new ConnectionStatus(
      cursor,
      this.#backoff,
      () => timer.isPaused(),
      (connection) => {
        this.#tell(connection);
      },
    );
    this.#batches = this.#run();
  }

  /** Epoch of the cursor; empty until connected. Keep it with the cursor. */
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
    return this.#status.current;
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

  /** Whether the watch makes no calls now, since the page is hidden. */
  protected get isPaused(): boolean {
    return this.#timer.isPaused();
  }

  /**
   * End the watch: cancel the stream at the server, and end the iteration. Jobs go on.
   *
   * What the watch holds of the page is free at once, and its end is told, since a consumer may never ask for another batch.
   */
  close(): void {
    this.#closing.abort();
    this.#timer.wake();
    this.#reader.cancel();
    this.#transport.giveSlotBack();
    this.#status.set("ended");
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

  /**
   * Whether the watch is complete, at the end of a stream that does not say so; undefined where the answer is of a node that
   * has yet to read so far.
   */
  protected hasEnded(): Promise<boolean | undefined> {
    return Promise.resolve(false);
  }

  async *#run(): AsyncGenerator<readonly Item[], void, undefined> {
    const { signal } = this.#options;
    const untilClosed = { signal: this.closing };
    const close = (): void => {
      this.close();
    };
    signal?.addEventListener("abort", close, untilClosed);
    const pause = (): void => {
      this.#pause();
    };
    this.#timer.listen(pause, untilClosed);
    this.#sinceStart = shownTime(untilClosed);
    try {
      signal?.throwIfAborted();
      if (!this.#isClosed()) this.#status.set("connecting");
      while (!this.#isClosed()) {
        const items = await this.#advance();
        signal?.throwIfAborted();
        const isNew = this.isNews();
        const isClosed = this.#isClosed();
        // Not after the last items: a consumer may ask for no more.
        const ending = this.cursor.hasLast ? this.#reader.drain().then(close) : undefined;
        if ((items.length > 0 || isNew) && !isClosed) {
          yield items;
        }
        await ending;
      }
    } finally {
      this.close();
    }
    signal?.throwIfAborted();
    if (this.#thrown !== undefined) throw this.#thrown.error;
  }

  /** Call `onConnection`. What it throws is not taken for an error of the connection, but ends the watch. */
  #tell(connection: Connection): void {
    try {
      this.#options.onConnection?.(connection);
    } catch (error) {
      this.#thrown ??= { error };
      this.close();
    }
  }

  /** A method, since the answer may change while the caller awaits something. */
  #isClosed(): boolean {
    return this.#closing.signal.aborted;
  }

  /** The items of the next step, possibly none; a transient error schedules another attempt. */
  async #advance(): Promise<readonly Item[]> {
    try {
      return await this.#step();
    } catch (thrown) {
      if (this.#isClosed()) return [];
      if (!(thrown instanceof MilepostError)) throw thrown; // which no other attempt would change
      return this.#onError(thrown);
    }
  }

  /** Open a stream if there is none, and return the items of its next frame. */
  async #step(): Promise<readonly Item[]> {
    await this.#pauseWhileHidden();
    if (!this.#isClosed()) {
      await this.#timer.waitUntilDue();
    }
    if (this.#isClosed() || this.#timer.isPaused()) return [];
    const fetched = await this.fetchMissing();
    if (fetched.length > 0) this.#unexplained.passed();
    if (fetched.length > 0 || this.isPaused) return fetched;
    if (!this.#reader.isOpen) {
      this.#transport.fallback.retryStream(Date.now());
      if (this.#transport.isCalling) {
        return this.#poll();
      }
      await this.#open();
    }
    const frame = await this.#reader.read(this.#readTimeoutMs);
    if (frame === CANCELLED) return [];
    if (frame === END) {
      await this.#onStreamEnd();
      return [];
    }
    this.#status.heard();
    const wasOpened = this.cursor.opened;
    const items = this.cursor.accept(frame);
    if (!wasOpened && this.cursor.opened) {
      this.#credential.accepted();
      this.#transport.streamOpened();
      this.#lag.passed();
      this.#status.hasConnected = true;
    }
    // A stream that only opens, or has nothing to send, does so also where a fault comes back.
    if (items.length > 0 || frame.frame.case === "status") this.#unexplained.passed();
    if (items.length > 0 || this.cursor.reachedHead) {
      this.#backoff.reset();
      this.#recovering = false;
    }
    this.#status.advanced(items, this.#transport);
    return items;
  }

  /** Hold nothing while the page is hidden. At once, since a consumer may not ask for another batch before it is shown. */
  #pause(): void {
    this.#reader.cancel();
    this.#transport.giveSlotBack();
    this.#transport.suspectConnections();
    this.#status.becomeStale(Date.now());
    this.#status.set("paused");
  }

  async #pauseWhileHidden(): Promise<void> {
    if (this.#timer.isPaused()) {
      this.#pause();
      while (this.#timer.isPaused() && !this.#isClosed()) {
        await this.#timer.waitForWake();
      }
      this.#timer.dueAt = 0;
    }
  }

  async #open(): Promise<void> {
    const { timeoutMs } = this.context.calls;
    const headers = await unlessAborted(this.#credential.headers(timeoutMs), this.closing);
    await this.#transport.prepareStream(this.#options.follow !== false);
    if (this.#isClosed() || this.isPaused) {
      this.#transport.giveSlotBack();
      return;
    }
    this.#leaveConnection = this.context.holdConnection();
    this.#reader.open((signal) => this.open(this.#transport.isFinite, headers, signal));
  }

  /** Milliseconds of silence after which the connection counts as lost. */
  get #readTimeoutMs(): number {
    const interval = this.#options.statusIntervalMs ?? STATUS_INTERVAL_MS;
    const silence = SILENT_INTERVALS * interval + this.context.timing.silenceMs;
    return this.cursor.opened ? silence : Math.min(silence, this.#transport.openTimeoutMs);
  }

  async #poll(): Promise<readonly Item[]> {
    const accept = await this.ask(this.context.calls.timeoutMs);
    const items = accept();
    this.#status.heard();
    if (items === undefined) throw STREAMS_BLOCKED;
    this.#unexplained.passed();
    this.#timer.dueAt = Date.now() + this.context.timing.pollMs;
    this.#status.advanced(items, this.#transport);
    return items;
  }

  /** Handle a stream that ended without an error: unless the watch is complete, it was cut. */
  async #onStreamEnd(): Promise<void> {
    const { complete, reachedHead } = this.cursor;
    // A stream that starts behind the end of a job has no event of it. Those that go on from there have one.
    const isUnclear = reachedHead && !(this.#transport.isFinite && this.#askedForEnd);
    const hasEnded = complete || (isUnclear && (await this.hasEnded()));
    if (hasEnded) {
      this.close();
    } else if (reachedHead && this.#transport.isFinite) {
      this.#askedForEnd ||= hasEnded === false;
      this.#timer.dueAt = Date.now() + this.context.timing.pollMs;
    } else {
      throw new Unreachable("the stream ended before the job did");
    }
  }

  /** Schedule another attempt, or throw the error; return the items to yield instead of it. */
  async #onError(error: MilepostError): Promise<readonly Item[]> {
    const { opened } = this.cursor;
    this.#reader.cancel();
    if (error instanceof Silent) {
      this.#leaveConnection();
      if (opened) {
        this.#transport.suspectConnections();
      }
    }
    const items = this.cursor.recover(error);
    const { timeoutMs } = this.context.calls;
    const { renewed, cause } = await this.#credential.tryRenew(error, timeoutMs, this.closing);
    if (this.#isClosed()) {
      return [];
    }
    const now = Date.now();
    const { hasConnected } = this.#status;
    const { connectTimeoutMs = CONNECT_TIMEOUT_MS } = this.#options;
    const patient = hasConnected || connectTimeoutMs === Infinity;
    const lags = this.#lag.mayPass(cause, this.cursor.epoch, now);
    // A page goes on, whose user sees that it reconnects.
    const mayPass = connectTimeoutMs === Infinity || this.#unexplained.mayPass(cause);
    if (items === undefined && !renewed && !lags && !(isTransient(cause, patient) && mayPass)) {
      throw this.#credential.firstOf(cause);
    }
    let waitMs = 0;
    if (items === undefined || this.#recovering) {
      // A gap is skipped at once, but not again and again.
      waitMs = this.#backoff.next(cause instanceof ServiceError ? cause.retryDelayMs : 0);
      if (renewed) this.#credential.delayed(waitMs);
    }
    this.#timer.dueAt = now + waitMs;
    this.#status.lost(items ?? [], cause, this.#timer.dueAt);
    if (items !== undefined) {
      this.#recovering = true;
      return items;
    }
    const last = !hasConnected && this.#sinceStart() >= connectTimeoutMs;
    if (!opened) await this.#checkTransport(cause, last);
    if (last && this.#transport.fallback.mode === "stream") {
      throw cause;
    }
    return [];
  }

  async #checkTransport(cause: MilepostError, last: boolean): Promise<void> {
    if (await this.#transport.check(cause, last, (timeoutMs) => this.ask(timeoutMs))) {
      this.#status.hasConnected = true;
      this.#timer.dueAt = 0;
      this.#status.set("polling", this.#transport.blocked);
    }
  }
}
