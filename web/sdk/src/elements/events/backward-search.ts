/** How many pages of events to ask for at once, going back over pages with few or none: most of a log may have been thinned out. */

/** Pages that are asked for at once at most: a million sequences. */
const LARGEST_SPAN = 8192;

/** A search for the events before pages that have few or none. */
export interface BackwardSearch {
  /** The page that is asked for next, with those before it; -1 for none. */
  readonly next: number;
  /** Pages to ask for at once. */
  readonly span: number;
  /** Whether the span doubles: until a call has more events than are wanted, from where on it is a binary search. */
  readonly widens: boolean;
}

export const NO_SEARCH: BackwardSearch = { next: -1, span: 1, widens: true };

/** What the pages of a call had: more events than are wanted leave the call unfinished. */
export type Found = "few" | "enough" | "too many";

/** The search after a call for the pages from `from` to `to`. */
export function searchAfter(
  { span, widens }: BackwardSearch,
  from: number,
  to: number,
  found: Found,
): BackwardSearch {
  const half = Math.max(Math.floor(span / 2), 1);
  switch (found) {
    case "enough":
      return NO_SEARCH;
    case "too many":
      return { next: to, span: half, widens: false };
    case "few":
      if (!widens && span > 1) return { next: from - 1, span: half, widens };
      return { next: from - 1, span: Math.min(span * 2, LARGEST_SPAN), widens: true };
  }
}
