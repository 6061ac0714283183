import * as z from "zod";
import { boundedRecord, wellFormedText } from "./primitives.ts";

/** Characters of a text in an attribute, and texts of a list. */
const bounds = { characters: 1024, items: 100 };
const text = wellFormedText(0, bounds.characters);

const attributeValue = z.union([text, z.number(), z.boolean(), z.null(), z.array(text).max(bounds.items)], {
  error:
    `must be a text of at most ${bounds.characters} characters, a number, true, false, null, or a list of at most ` +
    `${bounds.items} such texts`,
});

/**
 * Attributes of a product or user, by name. They are stored and returned; nothing is computed from them. A value is a text,
 * a number, a boolean, null or a list of texts.
 */
export const attributes = boundedRecord(64, attributeValue);
export type Attributes = z.infer<typeof attributes>;
