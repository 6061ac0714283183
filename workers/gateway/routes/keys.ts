import { createRoute, z } from "@hono/zod-openapi";
import { createdKey, keyInput, keyRecord } from "../../shared/contracts/credential.ts";
import { toInstant } from "../../shared/contracts/primitives.ts";
import type { Gateway } from "../context.ts";
import type { Authenticator } from "../keys/authenticator.ts";
import type { Caller } from "../keys/caller.ts";
import { hashOf, keyOf } from "../keys/key.ts";
import { type Guard, idPath, json, jsonBody, kilobytes, noQuery, refusals } from "../operation.ts";
import type { Ports } from "../ports.ts";
import { deny } from "../refused.ts";

const record = keyRecord.meta({ id: "Key" });
const tags = ["Keys"];

/** A key makes keys of its own application; the development key, which is the machine's owner, of any. */
function applicationOf(caller: Caller, wanted: string | undefined): string {
  if (wanted === undefined || wanted === caller.application) return caller.application;
  if (caller.kind === "admin" && caller.development) return wanted;
  return deny("forbidden", "A key makes keys of its own application only.");
}

/** Keys of an application. */
export function keys(app: Gateway, { store, now }: Ports, guard: Guard, authenticator: Authenticator): void {
  app.openapi(
    createRoute({
      method: "post",
      path: "/v1/keys",
      summary: "Create a key",
      description: "Admin. The answer is the only one that shows it.",
      tags,
      ...guard("admin", kilobytes(4)),
      request: { query: noQuery, body: jsonBody(keyInput.meta({ id: "KeyBody" })) },
      responses: { 201: json("Created.", createdKey.meta({ id: "CreatedKey" })), ...refusals },
    }),
    async (c) => {
      const { role, name, application: wanted } = c.req.valid("json");
      const application = applicationOf(c.var.caller, wanted);
      const key = keyOf(crypto.getRandomValues(new Uint8Array(32)));
      const id = crypto.randomUUID();
      const createdAt = Math.floor(now() / 1000);
      await store.addKey({ application, id, role, name, hash: await hashOf(key), createdAt });
      authenticator.forget();
      return c.json(
        { id, application, role, name, createdAt: toInstant(createdAt), revokedAt: null, key },
        201,
      );
    },
  );

  app.openapi(
    createRoute({
      method: "get",
      path: "/v1/keys",
      summary: "Keys of the application, without the keys themselves",
      description: "Admin.",
      tags,
      ...guard("admin"),
      request: { query: noQuery },
      responses: { 200: json("Keys, oldest first.", z.object({ items: z.array(record) })), ...refusals },
    }),
    async (c) => c.json({ items: await store.listKeys(c.var.caller.application) }, 200),
  );

  app.openapi(
    createRoute({
      method: "delete",
      path: "/v1/keys/{id}",
      summary: "Revoke a key",
      description: "Admin. Other places notice within seconds.",
      tags,
      ...guard("admin"),
      request: { params: idPath, query: noQuery },
      responses: { 204: { description: "Revoked." }, ...refusals },
    }),
    async (c) => {
      const revoked = await store.revokeKey(
        c.var.caller.application,
        c.req.valid("param").id,
        Math.floor(now() / 1000),
      );
      if (!revoked) deny("not_found", "There is no such key.");
      authenticator.forget();
      return c.body(null, 204);
    },
  );
}
