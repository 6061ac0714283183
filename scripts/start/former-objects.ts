import { existsSync } from "node:fs";
import { join } from "node:path";

/**
 * Names under which a local state of version 0.2 keeps the objects of a class: its worker and the class. Since then the
 * objects have workers of their own. An object's id follows from the name, and other stores hold the ids of users' objects.
 */
const formerKeys: Readonly<Record<string, string>> = {
  UserSession: "vicinity-recommendation-UserSession",
  Cell: "vicinity-location-Cell",
};

/** Returns whether a state directory holds objects under the names of version 0.2. */
export const hasFormerObjects = (stateDir: string): boolean =>
  Object.values(formerKeys).some((key) => existsSync(join(stateDir, "v3/do", key)));

/**
 * Returns the names under which a state keeps its objects, by class; none if they are those of their workers. All objects
 * of a state have names of one version.
 */
export const objectKeysOf = (stateDir: string): Readonly<Record<string, string>> =>
  hasFormerObjects(stateDir) ? formerKeys : {};

/** Says why `npm run dev` cannot serve a state, and what to do. */
export const formerObjectsText = (stateDir: string): string =>
  `${stateDir} was made before users' objects and cells had workers of their own. \`npm start\` serves it on; \`npm run dev\` would not find its users. Use another directory: STATE_DIR=DIR npm start, then STATE_DIR=DIR npm run dev`;
