/** Something that is looked up again and again, by one call at a time. */
export class Lookup {
  #isUnderWay = false;
  #isExpired = true;
  #endedAt = 0;

  /** Look it up, unless that is under way, or its last answer is younger than so many milliseconds. */
  async every(intervalMs: number, call: () => Promise<void>): Promise<void> {
    if (this.#isUnderWay) return;
    if (!this.#isExpired && performance.now() - this.#endedAt < intervalMs) return;
    this.#isUnderWay = true;
    this.#isExpired = false;
    await call();
    this.#endedAt = performance.now();
    this.#isUnderWay = false;
  }

  /** What was looked up, or is being, is of before: it is due again at once. */
  expire(): void {
    this.#isExpired = true;
  }
}
