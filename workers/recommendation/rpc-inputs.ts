import * as z from "zod";
import { eventInput } from "../../shared/contracts/event.ts";
import { experimentName } from "../../shared/contracts/experiment.ts";
import { modelManifest, modelOrigin } from "../../shared/contracts/model.ts";
import {
  applicationName,
  epochSeconds,
  identifier,
  plainId,
  point,
  precision,
} from "../../shared/contracts/primitives.ts";
import { rebuildInput } from "../../shared/contracts/rebuild.ts";
import { productListQuery } from "../../shared/contracts/recommendation.ts";
import { requester } from "../../shared/contracts/requester.ts";
import { scenarioSettings } from "../../shared/contracts/scenario.ts";
import { scenarioName } from "../../shared/contracts/scenario-name.ts";
import { locationInput } from "../../shared/contracts/user.ts";

// Each schema validates the arguments of one RPC method of service.ts.

/** Historical events of one call. The gateway sends 500 at most; one of the release before sends up to 4,000. */
const maxHistoryEvents = 4000;
/** Items of one page of a user's export. */
const maxExportItems = 500;
/** Packed candidate lists of one scoring call. */
const maxListsPerCall = 1000;
/** Timed runs of one trial of a model. */
const maxTrialRuns = 100;

export const experimentRef = z.object({ application: applicationName, name: experimentName });
export const userRef = z.object({ application: applicationName, userId: identifier });
const settingsInput = z.object({
  home: point.nullable(),
  precision: precision.nullable(),
  version: z.number().int(),
});
export const receiptCall = z.object({ application: applicationName, requester });
export const similarCall = z.object({
  application: applicationName,
  productId: identifier,
  query: productListQuery,
});
export const trendingCall = z.object({
  application: applicationName,
  where: point.nullable(),
  query: productListQuery,
});
export const historyCall = z.object({
  application: applicationName,
  events: z.array(eventInput).max(maxHistoryEvents),
});
export const scenarioRef = z.object({ application: applicationName, name: scenarioName });
export const putScenarioCall = scenarioRef.extend({ settings: scenarioSettings, validateOnly: z.boolean() });
export const rollBackScenarioCall = scenarioRef.extend({ version: z.number().int().min(1).optional() });
export const locationCall = userRef.extend({ input: locationInput, requester });
export const settingsCall = userRef.extend({ settings: settingsInput });
export const mergeCall = userRef.extend({
  from: identifier,
  requester,
  fromTokenIssuedAt: epochSeconds.nullable(),
});
export const mergeQuery = z.object({
  application: applicationName,
  id: plainId,
  into: identifier.nullable(),
});
export const rebuildCall = z.object({ application: applicationName, input: rebuildInput });
export const manifestCall = z.object({ application: applicationName, manifest: modelManifest });
export const requesterCall = userRef.extend({ requester });
export const exportCall = requesterCall.extend({
  query: z.object({
    limit: z.number().int().min(1).max(maxExportItems),
    cursor: z.string().optional(),
  }),
});
export const scoreListsCall = z.object({
  application: applicationName,
  sha256: modelManifest.shape.sha256,
  packs: z
    .array(z.custom<Uint8Array>((value) => value instanceof Uint8Array, "must be bytes"))
    .max(maxListsPerCall),
});
export const tryModelCall = z.object({
  application: applicationName,
  manifest: modelManifest,
  runs: z.number().int().min(1).max(maxTrialRuns),
});
export const registerCandidateCall = z.object({
  application: applicationName,
  manifest: modelManifest,
  origin: modelOrigin,
});
