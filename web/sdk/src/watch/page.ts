/** What a page knows of its surroundings; outside of a browser it is always visible, and nothing ever changes. */

const page = globalThis as Partial<
  Pick<typeof globalThis, "document" | "addEventListener" | "removeEventListener">
>;

/** Whether the page is hidden: its tab is in the background, or the window is minimised. */
export function isHidden(): boolean {
  return page.document?.visibilityState === "hidden";
}

/** Call `listener` whenever the page is shown or hidden; the returned function ends that. */
export function onVisibility(listener: () => void): () => void {
  page.document?.addEventListener("visibilitychange", listener);
  return () => page.document?.removeEventListener("visibilitychange", listener);
}

/** Wait until the page is shown; returns at once if it is. Before each call that nobody has asked for: a hidden page makes none. */
export async function whenShown(): Promise<void> {
  while (isHidden()) {
    await new Promise<void>((resolve) => {
      const end = onVisibility(() => {
        end();
        resolve();
      });
    });
  }
}

/** Start measuring, until the signal is aborted: the function returns the milliseconds in which the page was shown since. */
export function shownTime({ signal }: { readonly signal: AbortSignal }): () => number {
  let before = 0;
  let since: number | undefined;
  const elapsed = (): number => before + (since === undefined ? 0 : performance.now() - since);
  const look = (): void => {
    before = elapsed();
    since = isHidden() ? undefined : performance.now();
  };
  look();
  if (!signal.aborted) signal.addEventListener("abort", onVisibility(look));
  return elapsed;
}

/** Call `listener` when there is reason to try the network again at once: it is back, or the page is shown again. */
export function onWake(listener: () => void): () => void {
  if (page.document === undefined) {
    return () => undefined;
  }
  const shown = (): void => {
    if (!isHidden()) {
      listener();
    }
  };
  page.addEventListener?.("online", listener);
  page.addEventListener?.("pageshow", listener);
  const end = onVisibility(shown);
  return () => {
    page.removeEventListener?.("online", listener);
    page.removeEventListener?.("pageshow", listener);
    end();
  };
}

/** Whether requests to an origin share one connection (HTTP/2 or 3), as those so far did. */
export function isMultiplexed(origin: string): boolean {
  const entries = [
    ...performance.getEntriesByType("navigation"),
    ...performance.getEntriesByType("resource"),
  ];
  return (entries as PerformanceResourceTiming[]).some(
    ({ name, nextHopProtocol }) => name.startsWith(`${origin}/`) && /^h[23]/.test(nextHopProtocol),
  );
}
