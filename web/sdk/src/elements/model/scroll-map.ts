/**
 * A scrollable area that is higher than a browser allows.
 *
 * Browsers bound the height of an element (some at 17 million pixels), and a million wrapped lines are higher. The area is
 * then only `MAX_PIXELS` high. Small movements move the content by as many pixels; large ones, of the scroll bar, in
 * proportion.
 */
export const MAX_PIXELS = 8_000_000;

export class ScrollMap {
  #content = 0;
  #view = 0;
  /** What of the content is at the top of the view, in pixels. */
  #top = 0;
  #physical = 0;

  /** Height of the area for the browser. */
  get height(): number {
    return Math.min(this.#content, MAX_PIXELS);
  }

  /** Pixels of the content above the view. */
  get top(): number {
    return this.#top;
  }

  /** Where the browser's scroll bar is to be. */
  get position(): number {
    return this.#physical;
  }

  /** Where the content begins in the area. */
  get shift(): number {
    return this.#physical - this.#top;
  }

  /** The greatest `top`. */
  get bottom(): number {
    return Math.max(this.#content - this.#view, 0);
  }

  resize(content: number, view: number): void {
    this.#content = content;
    this.#view = view;
    this.moveTo(this.#top);
  }

  /** Put `top` of the content at the top of the view; returns the scroll position for the browser. */
  moveTo(top: number): number {
    this.#top = Math.min(Math.max(top, 0), this.bottom);
    this.#physical = this.#proportional(this.#top);
    return this.#physical;
  }

  /** The browser has scrolled to `position`; returns where to put its scroll bar, which differs only now and then. */
  scrolled(position: number): number {
    const distance = position - this.#physical;
    if (this.#content <= MAX_PIXELS) {
      this.#top = this.#physical = position;
      return position;
    }
    if (Math.abs(distance) > this.#view) {
      const range = Math.max(this.height - this.#view, 1);
      return this.moveTo((position / range) * this.bottom);
    }
    this.#top = Math.min(Math.max(this.#top + distance, 0), this.bottom);
    this.#physical = position;
    const ideal = this.#proportional(this.#top);
    // The ends must be within reach, and the scroll bar about where it belongs.
    const atEnd = this.#top === 0 || this.#top === this.bottom;
    if (atEnd || Math.abs(ideal - position) > 4 * this.#view) this.#physical = ideal;
    return this.#physical;
  }

  #proportional(top: number): number {
    if (this.#content <= MAX_PIXELS) return top;
    return Math.round((top / Math.max(this.bottom, 1)) * (this.height - this.#view));
  }
}
