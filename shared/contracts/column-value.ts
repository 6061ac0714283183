import * as z from "zod";

/**
 * The value of a product in an optional column of tiles: a field that few products have, or a declared attribute, whose
 * column is `attributes.` and its name. Times are seconds since the epoch.
 */
export const columnValue = z.discriminatedUnion("type", [
  z.object({ name: z.string(), type: z.literal("string"), value: z.string() }),
  z.object({ name: z.string(), type: z.literal("number"), value: z.number() }),
  z.object({ name: z.string(), type: z.literal("time"), value: z.number() }),
  z.object({ name: z.string(), type: z.literal("boolean"), value: z.boolean() }),
  z.object({ name: z.string(), type: z.literal("list"), value: z.array(z.string()) }),
]);
export type ColumnValue = z.infer<typeof columnValue>;
