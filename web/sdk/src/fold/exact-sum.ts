/**
 * A sum of doubles without rounding errors, rounded once when it is read, as Python's `math.fsum` does.
 *
 * It depends neither on the order of the numbers nor on the numbers that were added and taken away again.
 */
export class ExactSum {
  /** Doubles whose exact sum this is: none overlaps another, the smallest first (Shewchuk 1997). */
  #parts: number[] = [];

  /** Add a number; one that is not finite, which no server sends, counts as 0. */
  add(number: number): void {
    if (!Number.isFinite(number)) {
      return;
    }
    let kept = 0;
    let sum = number;
    for (const part of this.#parts) {
      const [larger, smaller] = Math.abs(sum) < Math.abs(part) ? [part, sum] : [sum, part];
      sum = larger + smaller;
      const lost = smaller - (sum - larger);
      if (lost !== 0) {
        this.#parts[kept++] = lost;
      }
    }
    this.#parts.length = kept;
    if (sum !== 0) {
      this.#parts.push(sum);
    }
  }

  /** The nearest double. */
  get value(): number {
    const parts = this.#parts;
    let index = parts.length - 1;
    let sum = parts[index] ?? 0;
    let lost = 0;
    while (index > 0 && lost === 0) {
      const before = sum;
      const part = parts[--index] ?? 0;
      sum = before + part;
      lost = part - (sum - before);
    }
    // Halfway between two doubles the parts below decide.
    const below = parts[index - 1] ?? 0;
    if ((lost < 0 && below < 0) || (lost > 0 && below > 0)) {
      const twice = lost * 2;
      const other = sum + twice;
      if (twice === other - sum) {
        return other;
      }
    }
    return sum;
  }
}
