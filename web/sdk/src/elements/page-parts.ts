/** What the pages, and what elements load on demand, are made of besides the elements. No part of the package's promise. */

export { toJson } from "@bufbuild/protobuf";
export { LitElement, css, html, nothing } from "lit";
export { guard } from "lit/directives/guard.js";
export { repeat } from "lit/directives/repeat.js";
export { serverAt } from "./live/server.js";
export { Unreachable } from "../errors.js";
export { Retries } from "./live/retries.js";
export { ticker } from "./live/ticker.js";
export { EventSchema, JobState } from "./messages.js";
export { absenceText, chipOf } from "./model/connection-text.js";
export { Keyboard, isForeignKey, KEYS } from "./model/keyboard.js";
export { absolute, clock, elapsed, instantOf } from "./model/instants.js";
export { filterOf, needsWorkers, queryOf } from "./model/job-list.js";
export {
  amount,
  count,
  grouped,
  oneLine,
  percent,
  printable,
  shortId,
  wholePercent,
} from "./model/plain-text.js";
export { ScrollMap } from "./model/scroll-map.js";
export { ScrollPosition } from "./model/scroll-position.js";
export { titleOf } from "./model/job-title.js";
export { isKnown, jobLook, severityWord, stageLook } from "./model/state-words.js";
export { chipIcon, foldIcon, stateIcon } from "./parts/icons.js";
export { dialogStyles } from "./parts/dialog-styles.js";
export { followButton } from "./parts/log-controls.js";
export { sharedStyles } from "./parts/shared-styles.js";
export { StoreElement } from "./parts/store-element.js";
export { vars } from "./parts/vars-directive.js";
