import { z } from "zod";
import { gateConfiguration } from "../../model/recalibrate/gate.ts";

const share = z.number().min(0).max(1);

/** How models are taken into service, and how much is explored. */
export const rolloutSettings = z.object({
  /** Whether what is registered goes its way by itself; else it waits for a hand. */
  automatic: z.boolean().default(true),
  shadow: z
    .object({
      /** Of the requests, what the newcomer scores too. */
      share: share.default(0.2),
      /** Requests scored and seconds passed before it may meet people. */
      minRequests: z.number().int().min(0).default(100),
      minSeconds: z.number().min(0).default(60),
      /** Of the scored requests, what may fail. */
      maxFailures: share.default(0.01),
    })
    .prefault({}),
  canary: z
    .object({
      /** Of the people, who are served by the newcomer; as many others are the control. */
      share: z.number().gt(0).max(0.5).default(0.1),
      alpha: z.number().gt(0).lt(1).default(0.05),
      /** Differences of success rates that are expected: where the test is the sharpest. */
      effect: z.number().gt(0).max(1).default(0.03),
      minPeople: z.number().int().min(2).default(50),
      minExposures: z.number().int().min(1).default(500),
      /** What the newcomer may surely lose at most, of the control's rate. */
      margin: share.default(0.1),
      /** Seconds after which it ends, though nothing is sure. */
      maxSeconds: z
        .number()
        .positive()
        .default(3 * 86_400),
      /** What happens then: the gate has seen a gain, and people no harm; or else only what is sure serves. */
      undecided: z.enum(["promote", "rollback"]).default("promote"),
    })
    .prefault({}),
  /** What a model that is brought must meet: as those of recalibrations, in `model/recalibrate/gate.ts`. */
  gate: gateConfiguration.prefault({}),
  /** Versions whose files are kept, beside those that serve, are on their way, or would serve after a rollback. */
  kept: z.number().int().min(0).default(10),
  /** Chance in the last place of lists: see `model/experiments/exploration.ts`. */
  exploration: z
    .object({ rate: share.max(0.5).default(0), depth: z.number().int().min(1).max(50).default(10) })
    .prefault({}),
});
export type RolloutSettings = z.infer<typeof rolloutSettings>;

let read: { text: unknown; settings: RolloutSettings } | null = null;

/** The settings in the worker's variable `ROLLOUT`, as JSON; without it the defaults. Throws where it is not as documented. */
export function settingsOf(variables: object): RolloutSettings {
  const text: unknown = Reflect.get(variables, "ROLLOUT");
  if (read === null || read.text !== text)
    read = {
      text,
      settings: rolloutSettings.parse(typeof text === "string" && text !== "" ? JSON.parse(text) : {}),
    };
  return read.settings;
}
