/**
 * The token of a share link. It comes in the fragment, which browsers send to no server, and leaves the address at once:
 * addresses stay in the browser's history, and are copied to others. The tab keeps it for this page, to load it again.
 */

import { inFragment, setInFragment } from "./fragment.js";

const key = `milepost share ${location.pathname}`;

/** Take the token out of the address; undefined if this page was not opened by a share link. */
export function takeSharedToken(): string | undefined {
  const token = inFragment("token");
  if (!token) return kept();
  if (keep(token)) setInFragment("token", undefined); // else it stays where it is
  return token;
}

/** Load the page again once another share link to it is put into its address, which changes no more than the fragment. */
export function followSharedLinks(): void {
  addEventListener("hashchange", () => {
    if (inFragment("token") !== null) location.reload();
  });
}

/** Forget the token of this page, such as when it was refused. The rest of the address stays, such as the marked line. */
export function forgetSharedToken(): void {
  keep(undefined);
  setInFragment("token", undefined);
}

function kept(): string | undefined {
  try {
    return sessionStorage.getItem(key) ?? undefined;
  } catch {
    return undefined; // the browser keeps nothing
  }
}

/** Keep the token in the tab's own storage, or nothing; return whether that can be done. */
function keep(token: string | undefined): boolean {
  try {
    if (token === undefined) sessionStorage.removeItem(key);
    else sessionStorage.setItem(key, token);
    return true;
  } catch {
    return false;
  }
}
