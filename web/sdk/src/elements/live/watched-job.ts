import type { Job } from "../messages.js";
import type { ShownConnection } from "../model/connection-text.js";
import type { Instant } from "../model/instants.js";

/** A job that is kept up to date while it has subscribers. */
export interface WatchedJob {
  /** The current job; undefined until it is known. */
  readonly job: Job | undefined;
  readonly connection: ShownConnection;
  /** The server's time; it stands still while what is shown may be out of date. */
  readonly now: Instant;
  /** Whether what is shown changes with time. */
  readonly isMoving: boolean;
  /** Subscribe to changes, at most once an animation frame. The job is watched while there are subscribers. */
  subscribe(listener: () => void): () => void;
}
