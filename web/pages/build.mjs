// Build the pages and the elements into the Python package: the same bytes from the same sources.
import { cp, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import process from "node:process";
import { URL, fileURLToPath } from "node:url";
import { build, transform } from "esbuild";

const path = (relative) => fileURLToPath(new URL(relative, import.meta.url));
const assets = process.env.MILEPOST_ASSETS ?? path("../milepost/web/assets");

// esbuild leaves template literals as they are, and a tenth of the elements is style sheets in such literals.
const styleSheets = {
  name: "style-sheets",
  setup: ({ onLoad }) => {
    onLoad({ filter: /-styles\.ts$/ }, async ({ path: file }) => {
      const source = await readFile(file, "utf8");
      return { contents: source.replace(/css`[^`]*`/g, shortened), loader: "ts" };
    });
  },
};
const shortened = (literal) =>
  literal
    .replace(/\/\*.*?\*\//gs, "")
    .split(/(\$\{[^}]*\})/)
    .map((part, number) => (number % 2 ? part : part.replace(/\s+/g, " ").replace(/ ?([{};,]) ?/g, "$1")))
    .join("");

await rm(assets, { recursive: true, force: true });
await mkdir(assets, { recursive: true });
const options = {
  absWorkingDir: path(".."),
  tsconfig: path("../tsconfig.json"),
  outdir: assets,
  bundle: true,
  format: "esm",
  target: "es2022",
  minify: true,
  legalComments: "linked",
  logLevel: "warning",
};
await build({
  ...options,
  plugins: [styleSheets],
  entryPoints: { elements: path("../sdk/src/elements/index.ts") },
});
// The pages load the same file of elements as anyone else's page.
const besides = {
  name: "besides",
  setup: ({ onResolve }) => {
    onResolve({ filter: /^@milepost\/client\/elements$/ }, () => ({ path: "./elements.js", external: true }));
  },
};
await build({ ...options, plugins: [besides, styleSheets], entryPoints: { page: path("src/page.ts") } });
// Within the pages, so that the first paint waits for no file. The server's policy allows this one style, by its hash.
const style = await transform(await readFile(path("src/page.css"), "utf8"), { loader: "css", minify: true });
for (const name of ["index.html", "job.html"]) {
  const page = await readFile(path(`src/${name}`), "utf8");
  const styled = page.replace(/<link rel="stylesheet".*>/, `<style>${style.code.trim()}</style>`);
  await writeFile(`${assets}/${name}`, styled);
}
for (const name of ["docs.css", "icon.svg"]) await cp(path(`src/${name}`), `${assets}/${name}`);
