import { setImmediate } from "node:timers/promises";
import { Code, ConnectError } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { StreamReader } from "../src/watch/stream-reader.js";

test("a stream that is cancelled before somebody reads it leaves no error unhandled", async () => {
  const unhandled: unknown[] = [];
  const note = (error: unknown) => unhandled.push(error);
  process.on("unhandledRejection", note);
  const reader = new StreamReader<string>();

  // As Connect's streams are: opened at once, and failing once they are aborted.
  reader.open((signal) => {
    const opened = new Promise<IteratorResult<string>>((_, reject) => {
      signal.addEventListener("abort", () => {
        reject(new ConnectError("aborted", Code.Canceled));
      });
    });
    return { [Symbol.asyncIterator]: () => ({ next: () => opened }) };
  });
  reader.cancel();
  await setImmediate();
  process.off("unhandledRejection", note);

  expect(unhandled).toStrictEqual([]);
});

test("frames are read in order, the first one included, to the end", async () => {
  const reader = new StreamReader<string>();
  // eslint-disable-next-line @typescript-eslint/require-await -- as a stream is
  reader.open(async function* () {
    yield "a";
    yield "b";
  });

  expect([await reader.read(1000), await reader.read(1000)]).toStrictEqual(["a", "b"]);
  expect(typeof (await reader.read(1000))).toBe("symbol");
  expect(reader.isOpen).toBe(false);
});
