import { pagesConfig, workers } from "../../workers.ts";

/** A worker that is deployed: its name in commands, and the path of its wrangler.toml in the project's folder. */
export interface DeployedWorker {
  name: string;
  config: string;
}

/** All workers that are deployed, those without code too. */
export const deployedWorkers: readonly DeployedWorker[] = [
  ...workers.map(({ name, config }) => ({ name, config })),
  { name: "pages", config: pagesConfig },
];

/** A class of Durable Objects whose objects another worker had before. */
export interface ClassTransfer {
  className: string;
  /** Name of the worker that has the objects now. */
  to: string;
  /** Name of the worker that had them. */
  from: string;
}

/**
 * Classes that moved to a worker of their own. In an account where the new worker does not exist and the old one does,
 * the first deployment of the new worker takes the objects over; elsewhere it begins with none.
 */
export const classTransfers: readonly ClassTransfer[] = [
  { className: "UserSession", to: "user-session", from: "recommendation" },
  { className: "Cell", to: "cell", from: "location" },
];

/**
 * Names of KV namespaces by the id that stands for them in the configurations. Workers that name the same id share a
 * namespace. A name must never change: an account would get a new, empty namespace.
 */
export const namespaceNames: Readonly<Record<string, string>> = {
  "00000000000000000000000000000001": "vicinity-product-cards",
  "00000000000000000000000000000002": "vicinity-location-tiles",
  "00000000000000000000000000000010": "vicinity-gateway-keys",
};
