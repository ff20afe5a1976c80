import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, readFile, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { JobState } from "@milepost/client";
import { openPage } from "../../testing/browser.js";
import { runBeside } from "../../testing/python.js";
import { inRepository } from "../../testing/repository.js";
import { startServer } from "../../testing/server.js";
import { connectWorker } from "../../testing/worker.js";

const run = promisify(execFile);

/** A directory with the example in React, in which the packed package is installed. */
let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "milepost-react-"));
  const modules = join(directory, "node_modules");
  // Without what the README's commands have installed and built there.
  const isSource = (path: string) => !/\/(node_modules|dist)$/.test(path);
  await cp(inRepository("examples/react"), directory, { recursive: true, filter: isSource });
  await run("npm", ["pack", "--silent", "--workspace", "sdk", "--pack-destination", directory], {
    cwd: inRepository("web"),
  });
  await mkdir(join(modules, "@milepost"), { recursive: true });
  await run("tar", ["-xzf", join(directory, "milepost-client-0.1.0.tgz"), "-C", directory]);
  await cp(join(directory, "package"), join(modules, "@milepost/client"), { recursive: true });
  // Its dependencies, as npm would install them, without the registry.
  for (const name of await readdir(inRepository("web/node_modules"))) {
    if (name !== "@milepost") {
      await symlink(inRepository(`web/node_modules/${name}`), join(modules, name));
    }
  }
});

afterAll(() => rm(directory, { recursive: true, force: true }));

test("the package has what its manifest exports, and no sources or tests", async () => {
  const manifest = JSON.parse(await readFile(join(directory, "package/package.json"), "utf8")) as {
    exports: Record<string, { types: string; default: string } | string>;
    dependencies: Record<string, string>;
  };
  const files = await readdir(join(directory, "package"), { recursive: true });

  expect(Object.keys(manifest.exports)).toStrictEqual([
    ".",
    "./node",
    "./react",
    "./elements",
    "./package.json",
  ]);
  for (const entry of Object.values(manifest.exports)) {
    for (const file of typeof entry === "string" ? [entry] : [entry.types, entry.default]) {
      expect(files).toContain(file.replace("./", ""));
    }
  }
  expect(files.filter((file) => /(?<!\.d)\.tsx?$/.test(file))).toStrictEqual([]);
  expect(Object.keys(manifest.dependencies).filter((name) => !name.startsWith("@connectrpc/"))).toStrictEqual(
    ["@bufbuild/protobuf", "lit"],
  );
});

// It checks the declarations of all that the package imports, too, which takes a while; `make nightly-web` does.
test.runIf(process.env["NIGHTLY"]).each([
  ["bundler", "esnext"],
  ["node16", "node16"],
])("its types hold in a strict program that resolves modules as %s", async (moduleResolution, module) => {
  const program = join(directory, moduleResolution);
  await mkdir(program);
  await writeFile(
    join(program, "app.tsx"),
    `
      import { type Job, createClient } from "@milepost/client";
      import { createClient as createNodeClient } from "@milepost/client/node";
      import { MilepostProvider, useJob } from "@milepost/client/react";
      import { MilepostJob, configure } from "@milepost/client/elements";

      function Title({ id }: { id: string }) {
        const { job, cancel }: { job: Job | undefined; cancel: () => Promise<unknown> } = useJob(id);
        return <button onClick={() => void cancel()}>{job?.jobId}</button>;
      }
      export const App = () => <MilepostProvider client={createClient()}><Title id="j" /></MilepostProvider>;
      export const element: MilepostJob = document.createElement("milepost-job");
      export const clients = [createClient({ baseUrl: "/" }), createNodeClient({ baseUrl: "http://127.0.0.1:1" })];
      configure({ token: () => Promise.resolve("t") });
    `,
  );
  // By options that not everyone sets, too.
  const options = {
    ...{ target: "ES2022", lib: ["ES2022", "DOM"], jsx: "react-jsx", types: [], noEmit: true },
    ...{ module, moduleResolution, strict: true, skipLibCheck: false, exactOptionalPropertyTypes: true },
  };
  await writeFile(join(program, "package.json"), '{"type":"module"}');
  await writeFile(join(program, "tsconfig.json"), JSON.stringify({ compilerOptions: options }));

  await run(inRepository("web/node_modules/.bin/tsc"), ["--project", program]);
});

test("each of its modules is imported by Node, where there is no document", async () => {
  const program = `
    const names = ["", "/node", "/react", "/elements"];
    const modules = await Promise.all(names.map((name) => import("@milepost/client" + name)));
    console.log(typeof document, modules.map((module) => Object.keys(module).length > 0).join());
  `;
  const { stdout } = await run("node", ["--input-type=module", "--eval", program], { cwd: directory });

  expect(stdout).toBe("undefined true,true,true,true\n");
  // Frameworks with server components learn from it that hooks run in the browser.
  const hooks = await readFile(join(directory, "package/dist/react/index.js"), "utf8");
  expect(hooks).toMatch(/^(\/\*\*.*\*\/\n)?"use client";/);
});

test("its example in React compiles in a strict program, and Node imports the client", async () => {
  await run(inRepository("web/node_modules/.bin/tsc"), ["--project", directory]);
  const program = `
    import { createClient, hasReason } from "@milepost/client/node";
    const client = createClient({ baseUrl: "http://127.0.0.1:1", timeoutMs: 2000 });
    const error = await client.getJob("none").catch((error) => error);
    console.log(error.name, hasReason(error, "JOB_NOT_FOUND"));
  `;
  const { stdout } = await run("node", ["--input-type=module", "--eval", program], { cwd: directory });

  expect(stdout).toBe("Unreachable false\n");
});

test("the example in React submits a job, follows it, and cancels another one", async () => {
  await run("npm", ["run", "build", "--silent"], { cwd: directory });
  const server = await startServer();
  const environment = { MILEPOST_ADDRESS: `127.0.0.1:${server.port}` };
  const options = ["--app-dir", directory, "--port", "0"];
  const url = await runBeside("uvicorn", ["server:app", ...options], environment, /running on (http:\S+)/);
  const nextJob = await connectWorker(server.baseUrl, {
    workerId: "w-1",
    kinds: ["count"],
    maxConcurrency: 1,
  });
  const page = await openPage(url);

  await page.click("text=Count to ten");
  const first = await nextJob();
  await page.waitForSelector('h1:text("RUNNING")');
  await first.end();
  await page.waitForSelector('h1:text("SUCCEEDED")');
  const bar = page.locator("progress");
  await expect.poll(() => bar.evaluate((element) => (element as HTMLProgressElement).value)).toBe(1);
  await page.click("text=Count to ten");
  const second = await nextJob();
  await page.waitForSelector('h1:text("RUNNING")');
  await page.click("text=Cancel");
  await page.waitForSelector('h1:text("CANCELLING")');
  await second.end({ state: JobState.CANCELLED });
  await page.waitForSelector('h1:text("CANCELLED")');
});
