import type { Timestamp } from "@bufbuild/protobuf/wkt";
import { instantOf, type Instant } from "../model/instants.js";

/** The server's clock, as its messages say; the browser's may be wrong by hours. */
export class ServerClock {
  #offset: number | undefined;

  /** A message has arrived that the server sent at `time`. The smallest delay of messages counts. */
  heard(time: Timestamp | undefined): void {
    const sent = instantOf(time);
    if (sent === undefined) return;
    const offset = sent - Date.now();
    if (this.#offset === undefined || offset > this.#offset || offset < this.#offset - 5000)
      this.#offset = offset;
  }

  now(): Instant {
    return Date.now() + (this.#offset ?? 0);
  }
}
