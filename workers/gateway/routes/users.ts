import { createRoute, z } from "@hono/zod-openapi";
import { erasure } from "../../../shared/contracts/erasure.ts";
import { exportItem } from "../../../shared/contracts/export.ts";
import { answerLocation } from "../../../shared/contracts/location.ts";
import { unwrap } from "../../../shared/contracts/result.ts";
import type { UserSettings } from "../../../shared/contracts/services.ts";
import {
  locationInput,
  user,
  userInput,
  userInteraction,
  userPatch,
} from "../../../shared/contracts/user.ts";
import type { Gateway } from "../context.ts";
import type { Dependencies } from "../dependencies.ts";
import {
  type GuardRoute,
  idPath,
  jsonBody,
  jsonResponse,
  kilobytes,
  noQuery,
  pageParameters,
  problemResponses,
} from "../openapi/operation.ts";
import { patchUser, putUser } from "../user-profile.ts";

const stored = user.meta({ id: "User" });
const list = z.object({ items: z.array(stored), nextCursor: z.string().optional() });
const history = z.object({
  items: z.array(userInteraction.meta({ id: "Interaction" })),
  nextCursor: z.string().optional(),
});
const exportPage = z.object({
  items: z.array(exportItem.meta({ id: "Held" })),
  nextCursor: z.string().optional(),
});
/** Cursors lead through several stores, with their cursors in them. */
const exportParameters = pageParameters.extend({ cursor: z.string().min(1).max(2048).optional() });
const erased = erasure.meta({ id: "Erasure" });
const tags = ["People"];

/** People: profiles, history, place, erasure. */
export function addUserRoutes(app: Gateway, { services }: Dependencies, guard: GuardRoute): void {
  /** The person's object serves every recommendation, so it is told before the answer. */
  const sendSettings = async (application: string, userId: string, settings: UserSettings) =>
    unwrap(
      await services.recommendation.setUserSettings(application, userId, settings),
      "the recommendation service",
    );

  app.openapi(
    createRoute({
      method: "get",
      path: "/v1/users",
      summary: "List people",
      description: "Admin, or a client key with people:read.",
      tags,
      ...guard("people:read"),
      request: { query: pageParameters },
      responses: { 200: jsonResponse("A page of people.", list), ...problemResponses },
    }),
    async (c) =>
      c.json(
        unwrap(await services.user.list(c.var.caller.application, c.req.valid("query")), "the user service"),
        200,
      ),
  );

  app.openapi(
    createRoute({
      method: "put",
      path: "/v1/users/{id}",
      summary: "Create or replace a person's profile",
      description:
        "Admin, or a client key with people:write. The home is kept at the precision that `consent.location` allows.",
      tags,
      ...guard("people:write", kilobytes(64)),
      request: { params: idPath, query: noQuery, body: jsonBody(userInput.meta({ id: "UserBody" })) },
      responses: {
        200: jsonResponse("Replaced.", stored),
        201: jsonResponse("Created.", stored),
        ...problemResponses,
      },
    }),
    async (c) => {
      const { application } = c.var.caller;
      const { id } = c.req.valid("param");
      const put = await putUser(services, application, id, c.req.valid("json"));
      await sendSettings(application, id, put.settings);
      return c.json(put.user, put.created ? 201 : 200);
    },
  );

  app.openapi(
    createRoute({
      method: "get",
      path: "/v1/users/{id}",
      summary: "A person's profile",
      description: "Admin, or a client key with people:read.",
      tags,
      ...guard("people:read"),
      request: { params: idPath, query: noQuery },
      responses: { 200: jsonResponse("The profile.", stored), ...problemResponses },
    }),
    async (c) =>
      c.json(
        unwrap(
          await services.user.get(c.var.caller.application, c.req.valid("param").id),
          "the user service",
        ),
        200,
      ),
  );

  app.openapi(
    createRoute({
      method: "patch",
      path: "/v1/users/{id}",
      summary: "Change some fields of a person's profile",
      description: "Admin, or a client key with people:write.",
      tags,
      ...guard("people:write", kilobytes(64)),
      request: { params: idPath, query: noQuery, body: jsonBody(userPatch.meta({ id: "UserPatch" })) },
      responses: { 200: jsonResponse("The changed profile.", stored), ...problemResponses },
    }),
    async (c) => {
      const { application } = c.var.caller;
      const { id } = c.req.valid("param");
      const patched = await patchUser(services, application, id, c.req.valid("json"));
      await sendSettings(application, id, patched.settings);
      return c.json(patched.user, 200);
    },
  );

  app.openapi(
    createRoute({
      method: "delete",
      path: "/v1/users/{id}",
      summary: "Erase a person from every store",
      description:
        "Admin, or a client key with people:write. It goes on by itself until nothing is left, whatever fails on the " +
        "way; what was on its way meets a tombstone. Who comes by the same id afterwards is somebody new.",
      tags,
      ...guard("people:write"),
      request: { params: idPath, query: noQuery },
      responses: {
        202: jsonResponse("Begun, and durable; small histories are done by now.", erased),
        ...problemResponses,
      },
    }),
    async (c) => {
      const begun = unwrap(
        await services.recommendation.beginErasure(c.var.caller.application, c.req.valid("param").id),
        "the recommendation service",
      );
      return c.json(begun, 202, { location: `/v1/erasures/${begun.id}` });
    },
  );

  app.openapi(
    createRoute({
      method: "get",
      path: "/v1/erasures/{id}",
      summary: "How far an erasure is, store by store",
      description: "Admin, or a client key with people:write.",
      tags,
      ...guard("people:write"),
      request: { params: idPath, query: noQuery },
      responses: { 200: jsonResponse("The erasure.", erased), ...problemResponses },
    }),
    async (c) =>
      c.json(
        unwrap(
          await services.recommendation.getErasure(c.var.caller.application, c.req.valid("param").id),
          "the recommendation service",
        ),
        200,
      ),
  );

  app.openapi(
    createRoute({
      method: "get",
      path: "/v1/users/{id}/interactions",
      summary: "What a person did, newest first",
      description: "Admin, or a client key with people:read.",
      tags,
      ...guard("people:read"),
      request: { params: idPath, query: pageParameters },
      responses: { 200: jsonResponse("A page of interactions.", history), ...problemResponses },
    }),
    async (c) =>
      c.json(
        unwrap(
          await services.user.listInteractions(
            c.var.caller.application,
            c.req.valid("param").id,
            c.req.valid("query"),
          ),
          "the user service",
        ),
        200,
      ),
  );

  app.openapi(
    createRoute({
      method: "get",
      path: "/v1/users/{id}/export",
      summary: "All that is held about a person, store by store",
      description:
        "Admin, a client key with people:read, or the person's own token. A page may be empty though more follows: " +
        "`nextCursor` says so. Someone who is not known holds nothing.",
      tags,
      ...guard("own"),
      request: { params: idPath, query: exportParameters },
      responses: { 200: jsonResponse("A page of it.", exportPage), ...problemResponses },
    }),
    async (c) =>
      c.json(
        unwrap(
          await services.recommendation.exportUser(
            c.var.caller.application,
            c.req.valid("param").id,
            c.req.valid("query"),
          ),
          "the recommendation service",
        ),
        200,
      ),
  );

  app.openapi(
    createRoute({
      method: "put",
      path: "/v1/users/{id}/location",
      summary: "Where a person is now",
      description: "Admin, client, or the person's own token. Kept at the precision that the person allows.",
      tags,
      ...guard("self", kilobytes(4)),
      request: {
        params: idPath,
        query: noQuery,
        body: jsonBody(locationInput.meta({ id: "LocationBody" })),
      },
      responses: {
        200: jsonResponse("As it was taken.", z.object({ location: answerLocation })),
        ...problemResponses,
      },
    }),
    async (c) =>
      c.json(
        unwrap(
          await services.recommendation.setLocation(
            c.var.caller.application,
            c.req.valid("param").id,
            c.req.valid("json"),
          ),
          "the recommendation service",
        ),
        200,
      ),
  );
}
