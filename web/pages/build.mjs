// Build the pages and the elements into the Python package: the same bytes from the same sources.
import { cp, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { Buffer } from "node:buffer";
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

// The client speaks the binary format; what reads messages from JSON, 2 kB compressed, comes along with Connect.
const withoutJsonReader = {
  name: "without-json-reader",
  setup: ({ onLoad }) => {
    const names = [
      "fromJson",
      "fromJsonString",
      "mergeFromJson",
      "mergeFromJsonString",
      "enumFromJson",
      "isEnumJson",
    ];
    const contents = `const unused = () => { throw new Error("JSON is not read here."); };
      export { ${names.map((name) => `unused as ${name}`).join(", ")} };`;
    onLoad({ filter: /@bufbuild\/protobuf\/dist\/esm\/from-json\.js$/ }, () => ({ contents }));
  },
};

// The descriptors of messages are mostly names. As base64 they hardly get smaller when the file is compressed.
const withoutBase64 = (text) =>
  text.replace(/"([A-Za-z0-9+/]{200,}=*)"/g, (_, base64) => {
    const bytes = Buffer.from(base64, "base64").toString("latin1");
    return `btoa(${JSON.stringify(bytes)})`;
  });
// Markup is indented within template literals, and lines begin with spaces nowhere else.
const withoutIndentation = (text) => text.replace(/\n[ \t]+/g, "\n");

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
async function bundle(entryPoints, ...plugins) {
  const { outputFiles } = await build({
    ...options,
    entryPoints,
    plugins: [styleSheets, ...plugins],
    write: false,
  });
  for (const { path: file, text } of outputFiles) {
    await writeFile(file, file.endsWith(".js") ? withoutBase64(withoutIndentation(text)) : text);
  }
}

// What few look at is a file of its own, which the elements load from beside them. It shares with them what they have already:
// each module outside of its folder is the elements' own, by their `pageParts`.
const events = path("../sdk/src/elements/events/");
const eventsOnDemand = {
  name: "events-on-demand",
  setup: ({ onResolve }) => {
    onResolve({ filter: /\/events\/events-view\.js$/ }, ({ kind }) =>
      kind === "dynamic-import" ? { path: "./events.js", external: true } : undefined,
    );
  },
};
const partsOfElements = {
  name: "parts-of-elements",
  setup: ({ onResolve, onLoad }) => {
    onResolve({ filter: /.*/ }, ({ path: name, importer, namespace }) => {
      if (name === "./elements.js") return { path: name, external: true };
      return namespace === "file" && importer.startsWith(events) && !name.startsWith("./")
        ? { path: "parts", namespace: "elements" }
        : undefined;
    });
    onLoad({ filter: /.*/, namespace: "elements" }, async () => {
      const source = await readFile(path("../sdk/src/elements/page-parts.ts"), "utf8");
      const lists = [...source.matchAll(/export \{([^}]*)\}/g)].map(([, list]) => list);
      const names = lists
        .join()
        .split(/[\s,]+/)
        .filter(Boolean);
      return {
        contents: `import { pageParts } from "./elements.js"; export const {${names.join()}} = pageParts;`,
      };
    });
  },
};

await bundle({ elements: path("../sdk/src/elements/index.ts") }, withoutJsonReader, eventsOnDemand);
await bundle({ events: `${events}events-view.ts` }, partsOfElements);
// The pages load the same file of elements as anyone else's page.
const besides = {
  name: "besides",
  setup: ({ onResolve }) => {
    onResolve({ filter: /^@milepost\/client\/elements$/ }, () => ({ path: "./elements.js", external: true }));
  },
};
await bundle({ page: path("src/page.ts") }, besides);
// Within the pages, so that the first paint waits for no file. The server's policy allows this one style, by its hash.
const style = await transform(await readFile(path("src/page.css"), "utf8"), { loader: "css", minify: true });
for (const name of ["index.html", "job.html"]) {
  const page = await readFile(path(`src/${name}`), "utf8");
  const styled = page.replace(/<link rel="stylesheet".*>/, `<style>${style.code.trim()}</style>`);
  await writeFile(`${assets}/${name}`, styled);
}
for (const name of ["docs.css", "icon.svg"]) await cp(path(`src/${name}`), `${assets}/${name}`);
