import * as z from "zod";
import { precision } from "./primitives.ts";

/**
 * The consent under which a location was collected: its precision, and the version of the user's settings. A consent that
 * was lowered later limits everything that was collected before, wherever it arrives.
 */
export const collectedConsent = z.object({ precision, version: z.number().int() });
export type CollectedConsent = z.infer<typeof collectedConsent>;

/** The consent of data that was collected by versions of Vicinity that did not keep it. */
export const unknownConsent: CollectedConsent = { precision: "exact", version: 0 };
