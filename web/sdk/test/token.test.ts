import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { inRepository } from "../../testing/repository.js";
import { type Server, prepareServer } from "../../testing/server.js";
import { until } from "../../testing/until.js";
import { MilepostError } from "@milepost/client";
import { createClient } from "@milepost/client/node";
import { type Protocol, collect, oneTo, sequencesOf, setUp } from "./watching.js";

async function tokenCommand(server: Server, ...rest: string[]): Promise<string> {
  const file = join(server.directory, "tokens.toml");
  const [name = "", ...options] = rest;
  const { stdout } = await promisify(execFile)(inRepository(".venv/bin/milepost"), [
    ...["token", name, "--tokens", file, ...options],
  ]);
  return stdout.trim();
}

/** A server that takes tokens, and two of them. */
async function startGuarded(): Promise<{ server: Server; first: string; second: string }> {
  const server = prepareServer();
  const create = (subject: string) =>
    tokenCommand(server, "create", "--subject", subject, "--owner", "*", "--scope", "admin");
  const first = await create("first");
  const second = await create("second");
  server.options.push("--tokens", join(server.directory, "tokens.toml"));
  await server.start();
  return { server, first, second };
}

describe.each<Protocol>(["grpc", "connect"])(
  "over %s, a token that ends with its stream open",
  (protocol) => {
    test("is replaced by another one, and the watch goes on where it was", async () => {
      const { server, first, second } = await startGuarded();
      const tokens = [first, second];
      let asked = 0;
      const setting = await setUp(server, protocol, { token: () => Promise.resolve(tokens[asked++] ?? "") });
      const direct = createClient({ baseUrl: server.baseUrl, token: second });
      const { jobId } = await direct.submitJob({ kind: "test" });
      const watch = setting.client.watchJob(jobId);
      const { items, end } = collect(watch);
      await until(() => watch.caughtUp);

      await revokeFirst(server);
      await until(() => asked === 2);
      await direct.cancelJob(jobId);
      await end;

      expect(sequencesOf(items)).toStrictEqual(oneTo(3));
      expect(asked).toBe(2);
      // Calls, too, go on with the other token.
      expect((await setting.client.whoAmI()).subject).toBe("second");
    });

    test("ends the watch where there is no other one", async () => {
      const { server, first, second } = await startGuarded();
      const setting = await setUp(server, protocol, { token: first });
      const direct = createClient({ baseUrl: server.baseUrl, token: second });
      const { jobId } = await direct.submitJob({ kind: "test" });
      const watch = setting.client.watchJob(jobId);
      const { end } = collect(watch);
      await until(() => watch.caughtUp);

      await revokeFirst(server);

      await expect(end).rejects.toMatchObject({ reason: "TOKEN_EXPIRED" });
    });
  },
);

test("a token does not travel in plain text beyond this machine", () => {
  expect(() => createClient({ baseUrl: "http://jobs.example.com:7070", token: "secret" })).toThrow(
    MilepostError,
  );
  createClient({ baseUrl: "http://jobs.example.com:7070", token: "secret", allowPlaintextToken: true });
  createClient({ baseUrl: "https://jobs.example.com", token: "secret" });
});

async function revokeFirst(server: Server): Promise<void> {
  const list = await tokenCommand(server, "list");
  const id = /^(\S+).*first/m.exec(list)?.[1] ?? expect.fail(list);
  await tokenCommand(server, "revoke", id);
}
