import { createRoute, z } from "@hono/zod-openapi";
import {
  createdKey,
  type KeyRole,
  keyInput,
  keyRecord,
  keyRotation,
  rotatedKey,
} from "../../../shared/contracts/credential.ts";
import { toInstant } from "../../../shared/contracts/primitives.ts";
import type { Gateway } from "../context.ts";
import type { Dependencies } from "../dependencies.ts";
import { throwRefusal } from "../errors/throw-refusal.ts";
import type { Authenticator } from "../keys/authenticator.ts";
import { type Caller, describeAccess } from "../keys/caller.ts";
import { copyNow } from "../keys/copy-keys.ts";
import { generateKey, hashKey } from "../keys/key.ts";
import {
  type GuardRoute,
  jsonBody,
  jsonResponse,
  kilobytes,
  noQuery,
  plainIdPath,
  problemResponses,
} from "../openapi/operation.ts";

const record = keyRecord.meta({ id: "Key" });
const tags = ["Keys"];

/**
 * Returns the application of a new key: the caller's own. Only the development admin key may create keys of other
 * applications.
 */
function applicationForNewKey(caller: Caller, wanted: string | undefined): string {
  if (wanted === undefined || wanted === caller.application) return caller.application;
  if (caller.kind === "admin" && caller.development) return wanted;
  return throwRefusal(
    "forbidden",
    "An admin key may create keys of its own application only; leave out `application`.",
  );
}

/** Returns a new key of a role, and the columns that are stored of it. `now` is in milliseconds since the Unix epoch. */
async function newKey(role: KeyRole, now: number) {
  const key = generateKey(role);
  const stored = { id: crypto.randomUUID(), hash: await hashKey(key), createdAt: Math.floor(now / 1000) };
  return { key, stored };
}

/** Adds routes to create, list, rotate and revoke API keys. */
export function addKeyRoutes(
  app: Gateway,
  { store, copies, now, runInBackground }: Dependencies,
  guard: GuardRoute,
  authenticator: Authenticator,
): void {
  const copyLater = (application: string, ids: readonly string[]): void =>
    runInBackground(copyNow(store, copies, { application, ids, now: now() / 1000 }));

  app.openapi(
    createRoute({
      method: "post",
      path: "/v1/keys",
      summary: "Create a key",
      description: `${describeAccess("admin")} Only this response shows the key. Scopes extend what a server key may do. A publishable key is not secret: a public page may contain it.`,
      tags,
      ...guard("admin", kilobytes(4)),
      request: { query: noQuery, body: jsonBody(keyInput.meta({ id: "KeyBody" })) },
      responses: {
        201: jsonResponse("Created.", createdKey.meta({ id: "CreatedKey" })),
        ...problemResponses,
      },
    }),
    async (c) => {
      const { application: wanted, ...rights } = c.req.valid("json");
      const application = applicationForNewKey(c.var.caller, wanted);
      const { key, stored } = await newKey(rights.role, now());
      const made = await store.addKey({ application, ...rights, ...stored });
      copyLater(application, [made.id]);
      return c.json({ ...made, key }, 201);
    },
  );

  app.openapi(
    createRoute({
      method: "get",
      path: "/v1/keys",
      summary: "List the application's keys, without the secret keys themselves",
      description: `${describeAccess("admin")} \`lastUsedAt\` is accurate to an hour.`,
      tags,
      ...guard("admin"),
      request: { query: noQuery },
      responses: {
        200: jsonResponse("Keys, oldest first.", z.object({ items: z.array(record) })),
        ...problemResponses,
      },
    }),
    async (c) => c.json({ items: await store.listKeys(c.var.caller.application) }, 200),
  );

  app.openapi(
    createRoute({
      method: "post",
      path: "/v1/keys/{id}/rotate",
      summary: "Replace a key by a new one with the same rights",
      description:
        `${describeAccess("admin")} Both keys work for \`overlapSeconds\`, then the new one alone. A key can be rotated ` +
        "once. Only this response shows the new key.",
      tags,
      ...guard("admin", kilobytes(4)),
      request: {
        params: plainIdPath,
        query: noQuery,
        body: jsonBody(keyRotation.meta({ id: "KeyRotation" })),
      },
      responses: {
        201: jsonResponse("The new key.", rotatedKey.meta({ id: "RotatedKey" })),
        ...problemResponses,
      },
    }),
    async (c) => {
      const { id } = c.req.valid("param");
      const role = await store.findRole(c.var.caller.application, id);
      if (role === null) throwRefusal("not_found", `The application has no key with the id ${id}.`);
      const { key, stored } = await newKey(role, now());
      const expiresAt = stored.createdAt + c.req.valid("json").overlapSeconds;
      const successor = await store.rotateKey(c.var.caller.application, id, stored, expiresAt);
      if (successor === "unknown") throwRefusal("not_found", `The application has no key with the id ${id}.`);
      if (successor === "inactive")
        throwRefusal("conflict", "The key is revoked or was rotated before; create a new key instead.");
      authenticator.clearCache();
      copyLater(c.var.caller.application, [id, successor.id]);
      return c.json({ ...successor, key, replaces: { id, expiresAt: toInstant(expiresAt) } }, 201);
    },
  );

  app.openapi(
    createRoute({
      method: "delete",
      path: "/v1/keys/{id}",
      summary: "Revoke a key",
      description:
        `${describeAccess("admin")} The key stops working at once. Other Cloudflare locations may accept the key for 5 s ` +
        "more, for operations that any server key may call.",
      tags,
      ...guard("admin"),
      request: { params: plainIdPath, query: noQuery },
      responses: { 204: { description: "Revoked." }, ...problemResponses },
    }),
    async (c) => {
      const { id } = c.req.valid("param");
      const found = await store.revokeKey(c.var.caller.application, id, Math.floor(now() / 1000));
      if (!found) throwRefusal("not_found", `The application has no key with the id ${id}.`);
      authenticator.clearCache();
      copyLater(c.var.caller.application, [id]);
      return c.body(null, 204);
    },
  );
}
