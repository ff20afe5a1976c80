import { readFile, readdir } from "node:fs/promises";
import { dirname, join, relative, resolve } from "node:path";
import ts from "typescript";
import { expect, test } from "vitest";
import { inRepository } from "../../testing/repository.js";

/** Files by the files that they import, types included. */
type Imports = ReadonlyMap<string, readonly string[]>;

async function importsBelow(folder: string): Promise<Imports> {
  const files = (await readdir(folder, { recursive: true })).filter((file) => file.endsWith(".ts"));
  const imports = new Map<string, readonly string[]>();
  for (const file of files.map((name) => join(folder, name))) {
    const { importedFiles } = ts.preProcessFile(await readFile(file, "utf8"));
    const local = importedFiles.filter(({ fileName }) => fileName.startsWith("."));
    imports.set(
      file,
      local.map(({ fileName }) => resolve(dirname(file), fileName).replace(/\.js$/, ".ts")),
    );
  }
  return imports;
}

/** The files of a circle of imports that `file` is in; undefined if there is none. */
function circle(imports: Imports, file: string): readonly string[] | undefined {
  const cameFrom = new Map<string, string>();
  const queue = [file];
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    for (const imported of imports.get(next) ?? []) {
      if (imported === file) {
        const path = [file, next];
        for (let at = next; at !== file;) path.push((at = cameFrom.get(at) ?? file));
        return path.reverse();
      }
      if (!cameFrom.has(imported)) {
        cameFrom.set(imported, next);
        queue.push(imported);
      }
    }
  }
  return undefined;
}

test("no file imports itself by way of others", async () => {
  for (const folder of ["web/sdk/src", "web/pages/src", "web/testing"]) {
    const root = inRepository(folder);
    const imports = await importsBelow(root);
    expect(imports.size).toBeGreaterThan(5);
    const circles = [...imports.keys()].flatMap((file) => {
      const found = circle(imports, file);
      return found ? [found.map((each) => relative(root, each)).join(" → ")] : [];
    });
    expect(circles, folder).toEqual([]);
  }
});

test("a circle is found, also one of types only", () => {
  const imports = new Map([
    ["a", ["b"]],
    ["b", ["c"]],
    ["c", ["b"]],
  ]);
  expect(circle(imports, "a")).toBeUndefined();
  expect(circle(imports, "b")).toEqual(["b", "c", "b"]);
});
