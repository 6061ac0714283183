import { createRoute, z } from "@hono/zod-openapi";
import type { Coarsening } from "../../../shared/contracts/coarsening.ts";
import { erasure } from "../../../shared/contracts/erasure.ts";
import { exportItem } from "../../../shared/contracts/export.ts";
import { unwrap } from "../../../shared/contracts/result.ts";
import {
  locationInput,
  locationOutcome,
  shownInteraction,
  shownUser,
  userInput,
  userPatch,
} from "../../../shared/contracts/user.ts";
import { type InputWarning, inputWarning } from "../../../shared/contracts/warning.ts";
import type { UserSettings } from "../../../shared/services/user-api.ts";
import type { Gateway } from "../context.ts";
import type { Dependencies } from "../dependencies.ts";
import { describeAccess } from "../keys/caller.ts";
import { mayReadProfiles, requesterOf } from "../keys/requester-of.ts";
import {
  type GuardRoute,
  idPath,
  jsonBody,
  jsonResponse,
  kilobytes,
  noQuery,
  pageParameters,
  plainIdPath,
  problemResponses,
} from "../openapi/operation.ts";
import { checkLocation } from "../request/check-location.ts";
import { patchUser, putUser } from "../user-profile.ts";
import { interactionsFor, userFor } from "../withhold-places.ts";
import { shownCoarsening } from "./coarsenings.ts";

const stored = shownUser.meta({ id: "User" });
/** What is said about a stored profile beside the profile itself. */
const remarks = {
  warnings: z.array(inputWarning).optional(),
  coarsening: shownCoarsening.optional().meta({
    description:
      "Present if the consent was lowered: how far what is stored is coarsened. Poll `GET /v1/coarsenings/{id}`.",
  }),
};
const written = shownUser.extend(remarks).meta({ id: "WrittenUser" });
const writtenOrRemarks = z.union([written, z.object(remarks)]);
const notShown = { description: "Stored. A key without `people:read` is not shown the profile." };
const list = z.object({ items: z.array(stored), nextCursor: z.string().optional() });
const history = z.object({
  items: z.array(shownInteraction.meta({ id: "Interaction" })),
  nextCursor: z.string().optional(),
});
const exportPage = z.object({
  items: z.array(exportItem.meta({ id: "Held" })),
  nextCursor: z.string().optional(),
});
/** An export's cursor contains the cursors of several stores, so it is longer than others. */
const exportParameters = pageParameters.extend({ cursor: z.string().min(1).max(2048).optional() });
const erased = erasure.meta({ id: "Erasure" });
const tags = ["People"];

/** Returns what an answer says beside the profile; null for nothing. */
function remarksOf(warnings: InputWarning[], begun: Coarsening | null) {
  if (warnings.length === 0 && begun === null) return null;
  return { ...(warnings.length > 0 ? { warnings } : {}), ...(begun ? { coarsening: begun } : {}) };
}

/** Adds routes for users: profiles, interactions, location, export and erasure. */
export function addUserRoutes(app: Gateway, { services, settings }: Dependencies, guard: GuardRoute): void {
  /**
   * Sends changed settings to the user's object before the response, because the object serves every recommendation.
   * Returns the coarsening that a lowered consent begins, or null.
   */
  const sendSettings = async (application: string, userId: string, settings: UserSettings) =>
    unwrap(
      await services.recommendation.setUserSettings(application, userId, settings),
      "the recommendation service",
    );

  app.openapi(
    createRoute({
      method: "get",
      path: "/v1/users",
      summary: "List users",
      description: describeAccess("people:read"),
      tags,
      ...guard("people:read"),
      request: { query: pageParameters },
      responses: { 200: jsonResponse("A page of users.", list), ...problemResponses },
    }),
    async (c) => {
      const { caller } = c.var;
      const page = unwrap(
        await services.user.list(caller.application, c.req.valid("query")),
        "the user service",
      );
      return c.json({ ...page, items: page.items.map((each) => userFor(caller, each)) }, 200);
    },
  );

  app.openapi(
    createRoute({
      method: "put",
      path: "/v1/users/{id}",
      summary: "Create or replace a user's profile",
      description:
        `${describeAccess("people:write")} Without \`people:read\` too, the answer has no profile. The home is stored at the ` +
        "precision that `consent.location` allows. A home at (0, 0) is stored as null, with a warning. Without " +
        "`consent.location`, the deployment's `DEFAULT_CONSENT` counts. A lowered consent coarsens what is stored: " +
        "`coarsening` says how far.",
      tags,
      ...guard("people:write", kilobytes(64)),
      request: { params: idPath, query: noQuery, body: jsonBody(userInput.meta({ id: "UserBody" })) },
      responses: {
        200: jsonResponse("Replaced, or stored with remarks.", writtenOrRemarks),
        201: jsonResponse("Created.", written),
        204: notShown,
        ...problemResponses,
      },
    }),
    async (c) => {
      const { application } = c.var.caller;
      const { id } = c.req.valid("param");
      const body = c.req.valid("json");
      const { location: home, warnings } = checkLocation(body.home, "home");
      const put = await putUser(services, application, id, { ...body, home }, settings.defaultConsent);
      const begun = await sendSettings(application, id, put.settings);
      const said = remarksOf(warnings, begun);
      if (!mayReadProfiles(c.var.caller)) return said ? c.json(said, 200) : c.body(null, 204);
      return c.json({ ...userFor(c.var.caller, put.user), ...said }, put.created ? 201 : 200);
    },
  );

  app.openapi(
    createRoute({
      method: "get",
      path: "/v1/users/{id}",
      summary: "Get a user's profile",
      description: describeAccess("own"),
      tags,
      ...guard("own"),
      request: { params: idPath, query: noQuery },
      responses: { 200: jsonResponse("The profile.", stored), ...problemResponses },
    }),
    async (c) => {
      const { caller } = c.var;
      const { id } = c.req.valid("param");
      // The user's database does not know when tokens were issued.
      if (caller.kind === "user")
        unwrap(
          await services.recommendation.checkRequester(caller.application, id, requesterOf(caller)),
          "the recommendation service",
        );
      const profile = unwrap(await services.user.get(caller.application, id), "the user service");
      return c.json(userFor(caller, profile), 200);
    },
  );

  app.openapi(
    createRoute({
      method: "patch",
      path: "/v1/users/{id}",
      summary: "Change some fields of a user's profile",
      description: `${describeAccess("people:write")} Without \`people:read\` too, the answer has no profile.`,
      tags,
      ...guard("people:write", kilobytes(64)),
      request: { params: idPath, query: noQuery, body: jsonBody(userPatch.meta({ id: "UserPatch" })) },
      responses: {
        200: jsonResponse("The changed profile.", writtenOrRemarks),
        204: notShown,
        ...problemResponses,
      },
    }),
    async (c) => {
      const { application } = c.var.caller;
      const { id } = c.req.valid("param");
      const body = c.req.valid("json");
      const { location: home, warnings } = checkLocation(body.home, "home");
      const patched = await patchUser(
        services,
        application,
        id,
        home === undefined ? body : { ...body, home },
        settings.defaultConsent,
      );
      const begun = await sendSettings(application, id, patched.settings);
      const said = remarksOf(warnings, begun);
      if (!mayReadProfiles(c.var.caller)) return said ? c.json(said, 200) : c.body(null, 204);
      return c.json({ ...userFor(c.var.caller, patched.user), ...said }, 200);
    },
  );

  app.openapi(
    createRoute({
      method: "delete",
      path: "/v1/users/{id}",
      summary: "Erase a user from every store",
      description:
        `${describeAccess("people:write")} The erasure continues in the background and retries until no store has data of the ` +
        "user. A tombstone drops data that arrives late. A later user with the same id is a new user, also after a merge of the " +
        "erased one into another user.",
      tags,
      ...guard("people:write"),
      request: { params: idPath, query: noQuery },
      responses: {
        202: jsonResponse(
          "Started and stored durably. The erasure of a short history may be done already.",
          erased,
        ),
        ...problemResponses,
      },
    }),
    async (c) => {
      const started = unwrap(
        await services.recommendation.beginErasure(c.var.caller.application, c.req.valid("param").id),
        "the recommendation service",
      );
      return c.json(started, 202, { location: `/v1/erasures/${started.id}` });
    },
  );

  app.openapi(
    createRoute({
      method: "get",
      path: "/v1/erasures/{id}",
      summary: "Get the progress of an erasure, store by store",
      description: describeAccess("people:write"),
      tags,
      ...guard("people:write"),
      request: { params: plainIdPath, query: noQuery },
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
      summary: "List a user's interactions, newest first",
      description: describeAccess("people:read"),
      tags,
      ...guard("people:read"),
      request: { params: idPath, query: pageParameters },
      responses: { 200: jsonResponse("A page of interactions.", history), ...problemResponses },
    }),
    async (c) => {
      const { caller } = c.var;
      const page = unwrap(
        await services.user.listInteractions(
          caller.application,
          c.req.valid("param").id,
          c.req.valid("query"),
        ),
        "the user service",
      );
      return c.json(interactionsFor(caller, page), 200);
    },
  );

  app.openapi(
    createRoute({
      method: "get",
      path: "/v1/users/{id}/export",
      summary: "Export all data about a user, store by store",
      description:
        `${describeAccess("own")} An empty page with a \`nextCursor\` is not the last one. The export of an unknown user is ` +
        "empty. For a key without `locations:read`, it leaves out the home, locations, receipts and training examples, " +
        "which tell where the user was.",
      tags,
      ...guard("own"),
      request: { params: idPath, query: exportParameters },
      responses: { 200: jsonResponse("A page of the export.", exportPage), ...problemResponses },
    }),
    async (c) =>
      c.json(
        unwrap(
          await services.recommendation.exportUser(
            c.var.caller.application,
            c.req.valid("param").id,
            c.req.valid("query"),
            requesterOf(c.var.caller),
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
      summary: "Set a user's current location",
      description:
        `${describeAccess("self")} The location is stored at the precision that \`consent.location\` allows. (0, 0) and ` +
        "whole degrees are refused. A location that the user cannot have reached at 1,500 km/h is not believed: the answer " +
        "has a warning, and a second location near it is believed. At the consent `none` it is stored nowhere: the answer " +
        "has a warning.",
      tags,
      ...guard("self", kilobytes(4)),
      request: {
        params: idPath,
        query: noQuery,
        body: jsonBody(locationInput.meta({ id: "LocationBody" })),
      },
      responses: {
        200: jsonResponse("The user's location now.", locationOutcome.meta({ id: "LocationOutcome" })),
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
            requesterOf(c.var.caller),
          ),
          "the recommendation service",
        ),
        200,
      ),
  );
}
