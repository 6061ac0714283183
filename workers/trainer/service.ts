import { WorkerEntrypoint } from "cloudflare:workers";
import { z } from "zod";
import { applicationName, identifier } from "../../shared/contracts/primitives.ts";
import {
  type RecalibrationInput,
  type RecalibrationRecord,
  recalibrationInput,
} from "../../shared/contracts/recalibration.ts";
import { ok, parse, type Result, unwrap } from "../../shared/contracts/result.ts";
import { type RemovedCounts, type Retention, retention } from "../../shared/contracts/retention.ts";
import type { Readiness, TrainerApi } from "../../shared/contracts/services.ts";
import { logPrefix } from "../../shared/training-log/keys.ts";
import { Recalibrations } from "./recalibrations.ts";
import { removeExpiredLogs } from "./retention.ts";
import { type Snapshot, snapshot } from "./snapshot.ts";

const now = (): number => Date.now() / 1000;

/** The training log, and the recalibrations that learn from it. */
export class TrainerService extends WorkerEntrypoint<TrainerEnv> implements TrainerApi {
  async snapshot(application: string, day: string): Promise<Result<Snapshot>> {
    const parsed = parse(z.object({ application: applicationName, day: z.iso.date() }), { application, day });
    if (!parsed.ok) return parsed;
    return ok(
      await snapshot(this.env.TRAINING_LOG, logPrefix(application, day), async (users) => {
        const tombstones = unwrap(await this.env.USER.tombstones(application, users), "the user service");
        return new Map(tombstones.map(({ object, generation }) => [object, generation]));
      }),
    );
  }

  async recalibrate(application: string, input: RecalibrationInput): Promise<Result<RecalibrationRecord>> {
    const parsed = parse(z.object({ application: applicationName, input: recalibrationInput }), {
      application,
      input,
    });
    if (!parsed.ok) return parsed;
    return this.#desk.begin(application, parsed.value.input, crypto.randomUUID(), now());
  }

  async recalibration(application: string, id: string): Promise<Result<RecalibrationRecord>> {
    const parsed = parse(z.object({ application: applicationName, id: identifier }), { application, id });
    return parsed.ok ? this.#desk.get(application, id) : parsed;
  }

  async wakeInterrupted(): Promise<Result<{ running: number; woken: number }>> {
    return ok(await this.#desk.watch(now()));
  }

  async recalibrateAll(): Promise<Result<{ begun: number }>> {
    return ok(await this.#desk.nightly(now()));
  }

  get #desk(): Recalibrations {
    return new Recalibrations(this.env);
  }

  async retain(input: Retention): Promise<Result<RemovedCounts>> {
    const parsed = parse(retention, input);
    return parsed.ok ? ok(await removeExpiredLogs(this.env.TRAINING_LOG, parsed.value, now())) : parsed;
  }

  async ready(): Promise<Readiness> {
    return { ready: true, detail: "ready" };
  }
}
