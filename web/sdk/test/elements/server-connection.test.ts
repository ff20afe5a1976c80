import { Code } from "@connectrpc/connect";
import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import type { MilepostClient } from "../../src/client.js";
import { ServerConnection } from "../../src/elements/live/server-connection.js";
import { Unreachable } from "../../src/errors.js";
import { WhoAmIResponseSchema } from "../../src/gen/milepost/v1/job_service_pb.js";
import { refusal } from "../refusal.js";

/** The connection to a server that answers so, one answer after the other. */
function connectionTo(...answers: readonly unknown[]): { connection: ServerConnection; asked: () => number } {
  let asked = 0;
  const client = {
    whoAmI: () => {
      const answer = answers[asked++];
      return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
    },
  };
  const connection = new ServerConnection("http://localhost/", client as unknown as MilepostClient);
  return { connection, asked: () => asked };
}

const admin = create(WhoAmIResponseSchema, {
  subject: "ann",
  credentialId: "4f1c09aa",
  scopes: ["admin"],
  allOwners: true,
});

test("a server is asked again who the caller is after the connection was lost, and not once it has answered", async () => {
  const { connection, asked } = connectionTo(new Unreachable("cut"), admin);
  await connection.whoAmI();
  expect([connection.user, connection.may("see workers")]).toStrictEqual(["", false]);

  await connection.whoAmI();
  await connection.whoAmI();

  expect([connection.user, connection.may("see workers"), asked()]).toStrictEqual(["ann", true, 2]);
});

test("a server that does not say who the caller is, is not asked again", async () => {
  const { connection, asked } = connectionTo(refusal(Code.PermissionDenied, "PERMISSION_DENIED"));
  await connection.whoAmI();
  await connection.whoAmI();

  expect([connection.may("see history"), asked()]).toStrictEqual([true, 1]);
});

test("of an application that does not name its users, only what it allows is asked for without a click", async () => {
  const mayOf = async (scopes: string[]) => {
    const { connection } = connectionTo(create(WhoAmIResponseSchema, { scopes }));
    await connection.whoAmI();
    return (["see history", "see workers", "cancel", "submit"] as const).map((action) =>
      connection.may(action),
    );
  };
  expect([await mayOf([]), await mayOf(["read"])]).toStrictEqual([
    [false, false, true, true],
    [true, false, true, true],
  ]);
});

test("jobs are submitted only by those with the scope, of the kinds that are theirs, and never by a share link", async () => {
  const maySubmit = async (init: Parameters<typeof create<typeof WhoAmIResponseSchema>>[1]) => {
    const { connection } = connectionTo(create(WhoAmIResponseSchema, { subject: "ann", ...init }));
    await connection.whoAmI();
    return connection.maySubmit("audio.mix");
  };
  const scopes = ["read", "submit"];
  expect([
    await maySubmit({ scopes }),
    await maySubmit({ scopes: ["admin"] }),
    await maySubmit({ scopes, kinds: ["video", "audio.*"] }),
    await maySubmit({ scopes, kinds: ["*mix"] }),
    await maySubmit({ scopes: ["read"] }),
    await maySubmit({ scopes, kinds: ["audio", "audio?mix", "mix*"] }),
    await maySubmit({ scopes, jobId: "shared" }),
  ]).toStrictEqual([true, true, true, true, false, false, false]);
});

test("what a server has refused once is not asked for again", async () => {
  const { connection } = connectionTo(admin);
  await connection.whoAmI();
  connection.note(new Unreachable("cut"), "see workers");
  expect(connection.may("see workers")).toBe(true);

  connection.note(refusal(Code.PermissionDenied, "PERMISSION_DENIED"), "see workers");

  expect([connection.may("see workers"), connection.may("see history")]).toStrictEqual([false, true]);
});
