import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { onTestFinished } from "vitest";
import { inRepository } from "./repository.js";

/** A `milepost serve` of its own, with an empty store. It ends with the test. */
export class Server {
  readonly directory = mkdtempSync(join(tmpdir(), "milepost-"));
  #arguments: readonly string[];
  #process: ChildProcess | undefined;
  #port = 0;
  #ready: Readonly<Record<string, string>> = {};

  constructor(options: readonly string[]) {
    this.#arguments = options;
  }

  /** Port of gRPC; the same after a restart. */
  get port(): number {
    return this.#port;
  }

  /** Address for a client over gRPC. */
  get baseUrl(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** The line that the server printed when it was ready, such as `epoch` and `http`. */
  get ready(): Readonly<Record<string, string>> {
    return this.#ready;
  }

  /** Start with these options, too, from the next start on. */
  addOptions(...options: string[]): void {
    this.#arguments = [...this.#arguments, ...options];
  }

  /** Start the process, and wait until it is ready. */
  async start(): Promise<void> {
    const address = `127.0.0.1:${this.#port}`;
    const data = join(this.directory, "data");
    const process = spawn(
      inRepository(".venv/bin/milepost"),
      ["serve", "--address", address, "--data", data, ...this.#arguments],
      { stdio: ["ignore", "pipe", "pipe"] },
    );
    this.#process = process;
    let log = "";
    process.stderr.on("data", (text: Buffer) => (log += text.toString()));
    const line = await Promise.race([
      once(createInterface(process.stdout), "line"),
      once(process, "exit").then(() => undefined),
    ]);
    if (line === undefined) {
      throw new Error(`milepost serve did not start: ${log}`);
    }
    this.#ready = JSON.parse(String(line[0])) as Record<string, string>;
    this.#port = Number(this.#ready["address"]?.split(":").at(-1));
  }

  /** End the process: SIGTERM drains it, SIGKILL is a crash. */
  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
    const process = this.#process;
    if (process?.exitCode === null && process.signalCode === null) {
      const exit = once(process, "exit");
      process.kill(signal);
      await exit;
    }
  }

  /** Ask the process to drain, and do not wait for its end. */
  drain(): void {
    this.#process?.kill("SIGTERM");
  }

  /** Delete the store of a stopped server, so that the next start makes another one. */
  deleteStore(): void {
    rmSync(join(this.directory, "data"), { recursive: true, force: true });
  }
}

/** Start a server that ends with the test; `options` are those of `milepost serve`. */
export async function startServer(...options: string[]): Promise<Server> {
  const server = new Server(options);
  onTestFinished(async () => {
    await server.stop("SIGKILL");
    rmSync(server.directory, { recursive: true, force: true });
  });
  await server.start();
  return server;
}
