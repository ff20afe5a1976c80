/**
 * The token of a share link. It comes in the fragment, which browsers send to no server, and leaves the address at once:
 * addresses stay in the browser's history, and are copied to others. The tab keeps it for this page, to load it again.
 */

const key = `milepost share ${location.pathname}`;

/** Take the token out of the address; undefined if this page was not opened by a share link. */
export function takeSharedToken(): string | undefined {
  const fragment = new URLSearchParams(location.hash.slice(1));
  const token = fragment.get("token");
  if (!token) return storage()?.getItem(key) ?? undefined;
  const kept = storage();
  if (!kept) return token; // then it stays where it is
  kept.setItem(key, token);
  removeFromAddress(fragment);
  return token;
}

/** Load the page again once another share link to it is put into its address, which changes no more than the fragment. */
export function followSharedLinks(): void {
  addEventListener("hashchange", () => {
    if (new URLSearchParams(location.hash.slice(1)).has("token")) location.reload();
  });
}

/** Forget the token of this page, such as when it was refused. The rest of the address stays, such as the marked line. */
export function forgetSharedToken(): void {
  storage()?.removeItem(key);
  removeFromAddress(new URLSearchParams(location.hash.slice(1)));
}

function removeFromAddress(fragment: URLSearchParams): void {
  fragment.delete("token");
  const rest = fragment.size > 0 ? `#${fragment.toString()}` : "";
  history.replaceState(history.state, "", location.pathname + location.search + rest);
}

/** The tab's own storage; undefined where the browser keeps none. */
function storage(): Storage | undefined {
  try {
    return sessionStorage;
  } catch {
    return undefined;
  }
}
