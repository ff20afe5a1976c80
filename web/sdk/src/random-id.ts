/** A random id. `crypto.randomUUID` exists only on pages that came over TLS, and Node 18 has no `crypto` at all. */
export function randomId(): string {
  const bytes = new Uint8Array(16);
  const { crypto } = globalThis as Partial<typeof globalThis>;
  if (crypto === undefined) {
    bytes.forEach((_, index) => (bytes[index] = Math.floor(Math.random() * 256)));
  } else {
    crypto.getRandomValues(bytes);
  }
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
