/** Limits of the contract that the client has to know; `milepost.contract.limits` has all of them. */

/** What an id of a job looks like. A filter with another one is refused as a whole. */
export const JOB_ID = /^[A-Za-z0-9_-]{1,128}$/;
/** Values of one field of a filter, such as ids of jobs. */
export const FILTER_VALUES_LIMIT = 100;
/** Jobs, or workers, in one response. */
export const PAGE_SIZE_LIMIT = 1_000;
