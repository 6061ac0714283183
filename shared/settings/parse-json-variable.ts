import type * as z from "zod";

/** Parsed variables, by schema: an isolate reads its variables in every request, and they do not change. */
const parsed = new WeakMap<z.ZodType, { text: string; settings: unknown }>();

/** Returns the settings in a JSON variable, with the defaults of their schema. Throws if they do not match it. */
export function parseJsonVariable<T>(variables: object, name: string, schema: z.ZodType<T>): T {
  const value: unknown = Reflect.get(variables, name);
  const text = typeof value === "string" && value !== "" ? value : "{}";
  const known = parsed.get(schema);
  if (known?.text === text) return known.settings as T;
  const settings = schema.parse(JSON.parse(text));
  parsed.set(schema, { text, settings });
  return settings;
}
