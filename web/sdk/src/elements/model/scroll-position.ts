/** What of an element tells where it is scrolled to. */
export interface ScrolledView {
  scrollTop: number;
  readonly clientHeight: number;
}

/**
 * Where a view is scrolled to, which its element and the reader both decide.
 *
 * The browser tells a frame later that the reader has scrolled. An element that is updated in between would put the view
 * back where it was, so it first asks `hasMoved`.
 */
export class ScrollPosition {
  #top = 0;
  /** Height of the view at `put`; 0 while it is hidden, when the browser tells no position. */
  #height = 0;

  /** Whether the reader has scrolled since `put`. A view of another height has not: the browser moves it by itself. */
  hasMoved(view: ScrolledView): boolean {
    return this.#height > 0 && view.clientHeight === this.#height && isApart(view.scrollTop, this.#top);
  }

  /** Put the view where its element has it. */
  put(view: ScrolledView, position: number): void {
    if (isApart(view.scrollTop, position)) view.scrollTop = position;
    this.#top = view.scrollTop; // the browser rounds it, and bounds it
    this.#height = view.clientHeight;
  }
}

function isApart(position: number, other: number): boolean {
  return Math.abs(position - other) > 1;
}
