import type { Job } from "../messages.js";
import type { Connection } from "../model/connection-text.js";
import type { Instant } from "../model/instants.js";

/** A job that is kept up to date while somebody looks. */
export interface WatchedJob {
  /** The job as it stands; undefined until it is known. */
  readonly job: Job | undefined;
  readonly connection: Connection;
  /** The server's time; it stands still while what is shown may be out of date. */
  readonly now: Instant;
  /** Whether what is shown changes with time. */
  readonly isMoving: boolean;
  /** Be told of changes, at most once an animation frame. The job is watched while somebody is. */
  subscribe(listener: () => void): () => void;
}
