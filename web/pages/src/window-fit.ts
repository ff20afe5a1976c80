import { pageParts } from "@milepost/client/elements";

type Host = InstanceType<typeof pageParts.LitElement>;

/** Pixels below a view, and its least height. */
const BELOW = 24;
const LEAST = 300;

/**
 * Lets a view of a page end where the window ends, so that its newest rows are in sight without scrolling the page. The height
 * is in the property `name` of the page, and in `--below` what the page keeps free below: a view with `above` grows as the
 * reader scrolls towards it, until no more than `above` pixels of the window are left.
 */
export class WindowFit {
  #frame = 0;
  readonly #resized = new ResizeObserver(() => {
    this.#ask();
  });

  constructor(
    readonly host: Host,
    readonly name: string,
    readonly view: () => Element | null | undefined,
    readonly above?: number,
  ) {
    host.addController(this);
  }

  hostConnected(): void {
    addEventListener("scroll", this.#ask, { passive: true });
    addEventListener("resize", this.#ask);
  }

  hostUpdated(): void {
    const main = this.host.renderRoot.querySelector("main");
    if (main) this.#resized.observe(main);
  }

  hostDisconnected(): void {
    removeEventListener("scroll", this.#ask);
    removeEventListener("resize", this.#ask);
    this.#resized.disconnect();
    cancelAnimationFrame(this.#frame);
  }

  // In a frame of its own, since an observer must not change what it observes.
  readonly #ask = (): void => {
    cancelAnimationFrame(this.#frame);
    this.#frame = requestAnimationFrame(this.#fit);
  };

  readonly #fit = (): void => {
    const view = this.view();
    const { style } = this.host;
    const room = view ? innerHeight - view.getBoundingClientRect().top - BELOW : 0;
    const most = this.above === undefined ? Infinity : Math.max(innerHeight - this.above - BELOW, LEAST);
    const height = Math.floor(Math.min(Math.max(room, LEAST), most));
    if (view) style.setProperty(this.name, `${height}px`);
    // What has no more rows does not grow.
    const grows = view !== null && view !== undefined && most < Infinity && view.scrollHeight > height;
    style.setProperty("--below", `${BELOW + (grows ? most - height : 0)}px`);
  };
}
