/** The fold: how events change a job. */
export { Fold } from "./fold.js";
