import { timedOut, withTimeout } from "../../shared/async/with-timeout.ts";
import { toInstant } from "../../shared/contracts/primitives.ts";
import type { Readiness, ReadinessApi } from "../../shared/services/worker-api.ts";
import type { Dependencies } from "./dependencies.ts";
import { developmentApplication } from "./keys/development-keys.ts";
import type { ImportRecord, ReadinessReport } from "./readiness.ts";

type Parts = Pick<Dependencies, "services" | "store" | "settings" | "now">;

/** How long an isolate answers `/readyz` from memory, in milliseconds. */
const cacheMs = 1000;
/** Milliseconds after which a worker that has not answered is not ready. */
const maxAnswerMs = 5000;
/** Checks of an isolate that may run at the same time while it has no answer yet. */
const maxFirstChecks = 10;

/** Returns a worker's readiness. A worker that fails or does not answer in time is not ready. */
async function readinessOf(
  worker: ReadinessApi,
  application: string | null,
  answerMs: number,
): Promise<Readiness> {
  const silent = { ready: false, detail: "does not answer" };
  try {
    const answer = await withTimeout(worker.ready(application), answerMs);
    return answer === timedOut ? silent : { ready: answer.ready, detail: answer.detail };
  } catch {
    return silent;
  }
}

/** Returns what each worker says of itself; with an application, also of the application's own work. */
async function askWorkers(
  { services, store }: Parts,
  application: string | null,
  answerMs = maxAnswerMs,
): Promise<Record<string, Readiness>> {
  const { recommendation, user, product, location, trainer } = services;
  const gateway: ReadinessApi = {
    ready: () =>
      store.check().then(
        () => ({ ready: true, detail: "ready" }),
        () => ({ ready: false, detail: "the gateway database cannot be read: apply migrations/gateway" }),
      ),
  };
  const workers = { gateway, recommendation, user, product, location, trainer };
  return Object.fromEntries(
    await Promise.all(
      Object.entries(workers).map(async ([name, worker]) => [
        name,
        await readinessOf(worker, application, answerMs),
      ]),
    ),
  );
}

const allReady = (workers: Record<string, Readiness>): boolean =>
  Object.values(workers).every(({ ready }) => ready);

/**
 * Returns the initial import while a fresh local deployment waits for it: until it is done, or has failed. An import
 * that was not reported yet is about to begin.
 */
async function findInitialImport({ store, settings, now }: Parts): Promise<ImportRecord | null> {
  if (settings.initialImport === null) return null;
  const { name, since } = settings.initialImport;
  const found = await store.findImport(developmentApplication, name, since);
  if (found !== null) return found.status === "running" ? found : null;
  return { name, status: "running", done: 0, total: 0, reason: null, updatedAt: toInstant(now() / 1000) };
}

/**
 * Returns whether the service is ready for an application, and why not. Imports do not make it unready but the initial
 * one, which belongs to the application of the development keys: the service answers while an application imports.
 */
export async function readinessFor(parts: Parts, application: string): Promise<ReadinessReport> {
  const workers = await askWorkers(parts, application);
  if (!workers.gateway.ready) return { ready: false, workers, imports: [] };
  const initial = application === developmentApplication ? await findInitialImport(parts) : null;
  const running = (await parts.store.listImports(application)).filter(({ status }) => status === "running");
  const imports = initial ? [initial, ...running.filter(({ name }) => name !== initial.name)] : running;
  return { ready: allReady(workers) && initial === null, workers, imports };
}

/**
 * Returns a function that says whether the service is ready for anybody. It asks the workers at most once a second, so
 * that strangers cause no reads of databases with each request. While it asks, other requests get the last answer; before
 * the first one, {@link maxFirstChecks} of them ask too, since a canceled request never gives an answer.
 */
export function createReadinessCheck(parts: Parts, answerMs = maxAnswerMs): () => Promise<boolean> {
  let last: boolean | null = null;
  let askedAt = Number.NEGATIVE_INFINITY;
  let asked = 0;
  return async () => {
    const now = parts.now();
    if (now < askedAt + cacheMs) {
      if (last !== null || asked >= maxFirstChecks) return last ?? false;
    } else {
      askedAt = now;
      asked = 0;
    }
    asked++;
    const [workers, initial] = await Promise.all([
      askWorkers(parts, null, answerMs),
      withTimeout(findInitialImport(parts), answerMs).catch(() => null),
    ]);
    last = allReady(workers) && initial === null;
    return last;
  };
}
