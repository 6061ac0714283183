import * as z from "zod";
import { collectedConsent, unknownConsent } from "../contracts/consent.ts";
import type { AcceptedInteraction } from "../contracts/event.ts";
import type { OutboxRow, PlaceVisit } from "../contracts/queues.ts";
import type { CoarsenToStore } from "../geo/coarsen-point.ts";
import { type ConsentLimits, requiredPrecision } from "./consent-limits.ts";

const exampleConsent = z.object({ consent: collectedConsent.default(unknownConsent) });

/** Returns whether the consent allows to store a training example, or a line of the training log that holds one. */
export function isAllowedExample(limits: ConsentLimits | undefined, example: unknown): boolean {
  const { consent } = exampleConsent.parse(example);
  return requiredPrecision(limits, consent) === consent.precision;
}

/** Returns an interaction as the consent allows to store it. The same object is returned if nothing has to change. */
export async function allowedInteraction<
  I extends Pick<AcceptedInteraction, "location"> & Partial<Pick<AcceptedInteraction, "consent">>,
>(coarsen: CoarsenToStore, limits: ConsentLimits | undefined, interaction: I): Promise<I> {
  if (interaction.location === null) return interaction;
  const consent = interaction.consent ?? unknownConsent;
  const precision = requiredPrecision(limits, consent);
  if (precision === consent.precision) return interaction;
  const location = await coarsen(interaction.location, precision);
  return { ...interaction, location, consent: { ...consent, precision } };
}

/**
 * Returns a visit as the consent allows to store it, null at `none`. The same object is returned if nothing has to
 * change.
 */
export async function allowedVisit<V extends Omit<PlaceVisit, "seq">>(
  coarsen: CoarsenToStore,
  limits: ConsentLimits | undefined,
  visit: V,
): Promise<V | null> {
  const version = visit.version ?? unknownConsent.version;
  const precision = requiredPrecision(limits, { precision: visit.precision, version });
  if (precision === visit.precision) return visit;
  const location = await coarsen({ lat: visit.lat, lon: visit.lon }, precision);
  return location && { ...visit, ...location, precision };
}

/**
 * Returns an outbox row as the consent allows to store it: null for a training example of a list for a finer place. The
 * same object is returned if nothing has to change.
 */
export async function allowedRow<R extends OutboxRow>(
  coarsen: CoarsenToStore,
  limits: ConsentLimits | undefined,
  row: R,
): Promise<R | null> {
  if (row.kind === "example") return isAllowedExample(limits, row.example) ? row : null;
  if (row.kind !== "interaction") return row;
  const interaction = await allowedInteraction(coarsen, limits, row.interaction);
  return interaction === row.interaction ? row : { ...row, interaction };
}
