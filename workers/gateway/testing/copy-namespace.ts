import type { CopyNamespace } from "../keys/key-copies.ts";

/** Returns a namespace of KV whose entries are in a map, so that a test decides how old they are. */
export const namespaceOf = (entries: Map<string, string>): CopyNamespace => ({
  get: async (name) => JSON.parse(entries.get(name) ?? "null"),
  put: async (name, value) => void entries.set(name, value),
  delete: async (name) => void entries.delete(name),
});
