/** Heights of many rows, in visual lines: where a row begins, and which row is at a place, without walking all of them. */

/** Rows whose heights are summed up together. */
const BLOCK = 512;

/** A list of heights with sums over blocks. Rows can be added and removed at both ends. */
export class RowHeights {
  #blocks: { heights: number[]; sum: number }[] = [];
  #count = 0;
  #total = 0;

  get count(): number {
    return this.#count;
  }

  /** The sum of all heights. */
  get total(): number {
    return this.#total;
  }

  clear(): void {
    this.#blocks = [];
    this.#count = this.#total = 0;
  }

  append(heights: readonly number[]): void {
    for (const height of heights) {
      let block = this.#blocks.at(-1);
      if (!block || block.heights.length >= BLOCK) this.#blocks.push((block = { heights: [], sum: 0 }));
      block.heights.push(height);
      block.sum += height;
      this.#total += height;
    }
    this.#count += heights.length;
  }

  prepend(heights: readonly number[]): void {
    const blocks: { heights: number[]; sum: number }[] = [];
    for (let start = 0; start < heights.length; start += BLOCK) {
      const part = heights.slice(start, start + BLOCK);
      const sum = part.reduce((total, height) => total + height, 0);
      blocks.push({ heights: part, sum });
      this.#total += sum;
    }
    this.#blocks = blocks.concat(this.#blocks);
    this.#count += heights.length;
  }

  /** Remove rows at the front. */
  drop(rows: number): void {
    let left = Math.min(rows, this.#count);
    this.#count -= left;
    let whole = 0;
    for (const block of this.#blocks) {
      if (block.heights.length > left) break;
      left -= block.heights.length;
      this.#total -= block.sum;
      whole += 1;
    }
    this.#blocks.splice(0, whole);
    const first = this.#blocks[0];
    if (!first || !left) return;
    const removed = first.heights.splice(0, left).reduce((sum, height) => sum + height, 0);
    first.sum -= removed;
    this.#total -= removed;
  }

  /** Change the height of one row, which turned out to be another. */
  set(row: number, height: number): void {
    const found = this.#find(row);
    if (!found) return;
    const change = height - (found.block.heights[found.place] ?? 0);
    found.block.heights[found.place] = height;
    found.block.sum += change;
    this.#total += change;
  }

  get(row: number): number {
    const found = this.#find(row);
    return found?.block.heights[found.place] ?? 0;
  }

  /** Where a row begins; the total for one behind the last. */
  offsetOf(row: number): number {
    const found = this.#find(row);
    if (!found) return row < 0 ? 0 : this.#total;
    let offset = found.before;
    for (let place = 0; place < found.place; place++) offset += found.block.heights[place] ?? 0;
    return offset;
  }

  /** The row at an offset, or the nearest one. */
  rowAt(offset: number): number {
    let row = 0;
    let rest = offset;
    for (const { heights, sum } of this.#blocks) {
      if (rest >= sum) {
        rest -= sum;
        row += heights.length;
        continue;
      }
      for (const height of heights) {
        if (rest < height) return row;
        rest -= height;
        row += 1;
      }
    }
    return Math.max(this.#count - 1, 0);
  }

  #find(
    row: number,
  ): { block: { heights: number[]; sum: number }; place: number; before: number } | undefined {
    if (row < 0 || row >= this.#count) return undefined;
    let place = row;
    let before = 0;
    for (const block of this.#blocks) {
      if (place < block.heights.length) return { block, place, before };
      place -= block.heights.length;
      before += block.sum;
    }
    return undefined;
  }
}
