/** What the pages are made of besides the elements. No part of the package's promise. */

export { LitElement, css, html, nothing } from "lit";
export { serverAt } from "./live/server.js";
export { ticker } from "./live/ticker.js";
export { chipOf } from "./model/connection-text.js";
export { Keyboard, isForeignKey, KEYS } from "./model/keyboard.js";
export { absolute, instantOf } from "./model/instants.js";
export { filterOf, needsWorkers, queryOf } from "./model/job-list.js";
export { count, grouped, oneLine, shortId, wholePercent } from "./model/plain-text.js";
export { isKnown, jobLook } from "./model/state-words.js";
export { chipIcon, stateIcon } from "./parts/icons.js";
export { dialogStyles } from "./parts/dialog-styles.js";
export { sharedStyles } from "./parts/shared-styles.js";
