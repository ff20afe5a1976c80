import { MilepostError, TokenUnavailable } from "@milepost/client";
import { createClient } from "@milepost/client/node";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Server } from "../../testing/server.js";
import { TokenFile } from "../../testing/token-file.js";
import { until } from "../../testing/until.js";
import { CallCredential, TokenSource } from "../src/token.js";
import { type Protocol, collect, oneTo, sequencesOf, setUp } from "./watching.js";

const protocols: Protocol[] = ["grpc", "connect"];
const server = new Server([]);
const file = new TokenFile(server);

beforeAll(async () => {
  await file.create("other", ...protocols.flatMap((protocol) => [`first-${protocol}`, `only-${protocol}`]));
  await server.start();
});

afterAll(() => server.dispose());

function other() {
  return createClient({ baseUrl: server.baseUrl, token: file.token("other") });
}

describe.each(protocols)("over %s, a token that ends with its stream open", (protocol) => {
  test("is replaced by another one, and the watch goes on where it was", async () => {
    const tokens = [file.token(`first-${protocol}`), file.token("other")];
    let asked = 0;
    const setting = await setUp(server, protocol, { token: () => Promise.resolve(tokens[asked++] ?? "") });
    const { jobId } = await other().submitJob({ kind: "test" });
    const watch = setting.client.watchJob(jobId);
    const { items, end } = collect(watch);
    await until(() => watch.caughtUp);

    await file.remove(`first-${protocol}`);
    await until(() => asked === 2);
    await other().cancelJob(jobId);
    await end;

    expect(sequencesOf(items)).toStrictEqual(oneTo(3));
    expect(asked).toBe(2);
    // Calls, too, go on with the other token.
    expect((await setting.client.whoAmI()).subject).toBe("other");
  });

  test("ends the watch where there is no other one", async () => {
    const setting = await setUp(server, protocol, { token: file.token(`only-${protocol}`) });
    const { jobId } = await other().submitJob({ kind: "test" });
    const watch = setting.client.watchJob(jobId);
    const { end } = collect(watch);
    await until(() => watch.caughtUp);

    await file.remove(`only-${protocol}`);

    await expect(end).rejects.toMatchObject({ reason: "TOKEN_EXPIRED" });
  });

  test("calls that need a token at the same time ask once", async () => {
    let asked = 0;
    const token = async () => {
      asked++;
      await Promise.resolve();
      return file.token("other");
    };
    const { client } = await setUp(server, protocol, { token });

    await Promise.all([client.whoAmI(), client.whoAmI(), client.whoAmI()]);

    expect(asked).toBe(1);
  });
});

test("a token that the server refuses is replaced once, not again and again", async () => {
  const credential = new CallCredential(new TokenSource(() => `${Math.random()}`));
  const refusal = await createClient({ baseUrl: server.baseUrl, token: "unknown" })
    .whoAmI()
    .catch((error: unknown) => error as MilepostError);
  expect(refusal).toMatchObject({ reason: "UNAUTHENTICATED" });
  await credential.headers();

  const renewed = [
    await credential.renew(refusal as MilepostError),
    await credential.renew(refusal as MilepostError),
  ];

  expect(renewed).toStrictEqual([true, false]);
});

test("a function for tokens that fails is told as such", async () => {
  const token = () => Promise.reject(new Error("logged out"));

  await expect(createClient({ token }).whoAmI()).rejects.toThrow(new TokenUnavailable("Error: logged out"));
});

test("a token does not travel in plain text beyond this machine", () => {
  const baseUrl = "http://jobs.example.com:7070";

  expect(() => createClient({ baseUrl, token: "secret" })).toThrow(MilepostError);
  createClient({ baseUrl, token: "secret", allowPlaintextToken: true });
  createClient({ baseUrl: "https://jobs.example.com", token: "secret" });
});

test("the signal of a call ends it, too, while a function for tokens is asked", async () => {
  const client = createClient({ baseUrl: server.baseUrl, token: () => new Promise(() => undefined) });
  const ending = new AbortController();
  const call = client.getJob("any", { signal: ending.signal });

  ending.abort(new Error("no longer needed"));

  await expect(call).rejects.toThrow("no longer needed");
});
