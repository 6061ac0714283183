import type { ConfiguredWorker } from "../account/resources.ts";
import { inDeploymentOrder } from "./deployment-order.ts";
import type { Environment } from "./environment.ts";
import {
  type AccountIds,
  configurationFor,
  type ExpectedTransfers,
  readWorker,
} from "./worker-configuration.ts";
import { deployedWorkers } from "./worker-list.ts";

const noIds: AccountIds = { databases: new Map(), namespaces: new Map() };

/**
 * Returns all workers with their configurations for an environment, in the order of deployment. `transfersOf` returns the
 * classes that a worker takes over, by its short name.
 */
export const configuredWorkers = (
  environment: Environment,
  ids: AccountIds = noIds,
  transfersOf: (worker: string) => ExpectedTransfers = () => [],
): ConfiguredWorker[] =>
  inDeploymentOrder(
    deployedWorkers.map((worker) => {
      const raw = readWorker(worker);
      const configuration = configurationFor(worker, raw, environment, ids, transfersOf(worker.name));
      return { ...worker, raw, configuration };
    }),
  );
