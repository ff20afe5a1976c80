import type { Event } from "../gen/milepost/v1/event_pb.js";
import type { Job } from "../gen/milepost/v1/job_pb.js";

/** Jobs per generation. Events repeat only after a break in which more jobs than this have come to match. */
const GENERATION_SIZE = 10_000;
/** Positions after a list at which all commits of its jobs have arrived: a list is ahead of its stream by fewer. */
const LISTING_SLACK = 10_000n;

/** The last event received of a job; its epoch, if known, tells it from another one with the same id. */
interface Received {
  readonly sequence: bigint;
  readonly epoch: string | undefined;
}

/**
 * Decides which jobs and events are new, by the last sequence received of each job.
 *
 * It keeps two generations and drops the older one when a newer one begins: recent entries stay for a while, and memory
 * is bounded. While it retains all it drops nothing.
 */
export class Deduplicator {
  #retainsAll = false;
  #newer = new Map<string, Received>();
  #older = new Map<string, Received>();
  #expiresAfter: bigint | undefined;

  /** Start or stop retaining every entry, as during an initial list, which starts over if its stream breaks. */
  retainAll(retainsAll: boolean): void {
    this.#retainsAll = retainsAll;
  }

  /** Whether it has no entries. */
  get isEmpty(): boolean {
    return this.#newer.size === 0 && this.#older.size === 0;
  }

  /** The jobs that have an entry. */
  get jobs(): ReadonlySet<string> {
    return new Set([...this.#newer.keys(), ...this.#older.keys()]);
  }

  /** Record the state of a job; return whether it is new. */
  recordJob(job: Job): boolean {
    const previous = this.#find(job.jobId);
    this.#newer.set(job.jobId, { sequence: job.lastSequence, epoch: job.epoch });
    if (!this.#retainsAll && this.#newer.size > GENERATION_SIZE) {
      this.#startGeneration();
    }
    return previous?.sequence !== job.lastSequence || (previous.epoch ?? job.epoch) !== job.epoch;
  }

  /** Record events; return those that are new. */
  recordEvents(events: readonly Event[]): readonly Event[] {
    if (this.isEmpty && !this.#retainsAll) {
      return events;
    }
    return events.filter((event) => this.#recordEvent(event));
  }

  /** Drop the entry of a job that is deleted, or whose earlier events cannot repeat any more. */
  forget(jobId: string): void {
    this.#newer.delete(jobId);
    this.#older.delete(jobId);
  }

  /** Drop the entries recorded so far once the stream is safely past `position`. */
  expireAfter(position: bigint): void {
    if (!this.#retainsAll) {
      this.#startGeneration();
      this.#expiresAfter = position + LISTING_SLACK;
    }
  }

  /** Note that every event up to `position` has been received. */
  advance(position: bigint): void {
    if (this.#expiresAfter !== undefined && position > this.#expiresAfter && !this.#retainsAll) {
      this.#older.clear();
      this.#expiresAfter = undefined;
    }
  }

  /** Drop everything, for a stream that starts over. */
  clear(): void {
    this.#newer.clear();
    this.#older.clear();
    this.#expiresAfter = undefined;
    this.#retainsAll = false;
  }

  #recordEvent({ jobId, sequence }: Event): boolean {
    const previous = this.#find(jobId);
    if (previous !== undefined && sequence <= previous.sequence) {
      return false;
    }
    if (this.#retainsAll) {
      this.#newer.set(jobId, { sequence, epoch: previous?.epoch });
    } else if (previous !== undefined) {
      this.forget(jobId); // a stream resumed after this position does not repeat earlier events
    }
    return true;
  }

  #find(jobId: string): Received | undefined {
    return this.#newer.get(jobId) ?? this.#older.get(jobId);
  }

  #startGeneration(): void {
    this.#older = this.#newer;
    this.#newer = new Map();
    this.#expiresAfter = undefined;
  }
}
