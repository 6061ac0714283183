import type { Environment } from "../configuration/environment.ts";
import { releaseBefore } from "../release-before.ts";
import type { Plan, WorkerPlan } from "./plan.ts";

const count = (n: number, one: string, many = `${one}s`): string =>
  `${n.toLocaleString("en")} ${n === 1 ? one : many}`;

/** Returns lines with the first column as wide as its widest cell, indented. */
function columns(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(...rows.map(([first]) => first.length));
  return rows.map(([first, second]) => `    ${first.padEnd(width)}  ${second}`.trimEnd());
}

const section = (title: string, lines: readonly string[]): string[] =>
  lines.length === 0 ? [] : ["", `  ${title}`, ...lines];

/** Returns the percentages of a rollout as text: `5% → 25% → 100%`. */
export const stepsText = (steps: readonly number[]): string => steps.map((step) => `${step}%`).join(" → ");

function workerText({ kind, transfers, steps, uploaded, triggers, bundle }: WorkerPlan): string {
  if (kind === "keep") return triggers ? "unchanged; apply routes, crons and queues" : "unchanged";
  const size = `(${bundle.size})`;
  if (kind === "replace") return `replace at once, since classes of Durable Objects change or move ${size}`;
  if (kind === "create" && transfers.length > 0)
    return `first deployment; takes over the objects of ${transfers.map(({ className, from }) => `${className} from ${from}`).join(", ")} ${size}`;
  if (kind === "create") return `first deployment ${size}`;
  return `${uploaded === null ? "upload" : "uploaded already"}, then ${stepsText(steps)} of requests ${size}`;
}

/** Returns what nobody can undo once it was done, as sentences. */
export function irreversibleParts({ workers, migrations }: Plan): string[] {
  const transfers = workers.flatMap((each) => each.transfers);
  return [
    ...transfers.map(
      ({ className, to, from }) =>
        `Objects of ${className} move from ${from} to ${to}; no release before this one can run afterwards.`,
    ),
    ...workers
      .filter(({ kind }) => kind === "replace")
      .map(
        ({ worker }) =>
          `Classes of ${worker.name} change or move; its version of before cannot run afterwards.`,
      ),
    ...(workers.some(({ kind }) => kind !== "create" && kind !== "keep") ? releaseBefore.notReversible : []),
    ...(migrations.length > 0 && workers.some(({ kind }) => kind !== "create")
      ? ["Databases keep their migrations; the release before runs on them."]
      : []),
  ];
}

/** Returns a plan as lines for a terminal. */
export function planLines(plan: Plan, { name, rollout }: Environment): string[] {
  const created = plan.workers.filter(({ kind }) => kind === "create").length;
  const shifted = plan.workers.some(({ kind }) => kind === "shift");
  const isUpToDate =
    plan.creations.length + plan.migrations.length + plan.secrets.length === 0 &&
    plan.cities === null &&
    plan.workers.every(({ kind, triggers }) => kind === "keep" && !triggers);
  if (isUpToDate) return ["", `  ${name} is up to date: nothing to do.`];
  return [
    ...(created === plan.workers.length ? ["", `  Nothing of ${name} exists in this account.`] : []),
    ...section("Create", columns(plan.creations.map(({ kind, name }) => [kind, name]))),
    ...section(
      "Migrate databases",
      columns(
        plan.migrations.map(({ database, files }) => [
          database.name,
          `${count(files.length, "migration")}: ${files[0].replace(".sql", "")}${files.length > 1 ? ` to ${files.at(-1)?.replace(".sql", "")}` : ""}`,
        ]),
      ),
    ),
    ...section(
      "Replace the gazetteer",
      plan.cities
        ? [`    ${count(plan.cities.rows, "city", "cities")}, written beside the old ones, then switched`]
        : [],
    ),
    ...section(
      "Secrets",
      columns(
        plan.secrets.map(({ name, workers, sameAs }) => [
          name,
          sameAs === null
            ? `new, for ${workers.join(", ")}`
            : `the value that ${sameAs} has, for ${workers.join(", ")}: you must give it`,
        ]),
      ),
    ),
    ...section(
      "Deploy workers, the called ones before their callers",
      columns(plan.workers.map((each, i) => [`${i + 1}. ${each.worker.name}`, workerText(each)])),
    ),
    ...(shifted
      ? ["", `  Each step is watched for ${count(rollout.pause_seconds, "second")} and tested.`]
      : []),
    ...(plan.interrupts
      ? [
          "",
          "  The account has an earlier release, which does not understand this one. Requests may fail until the end.",
        ]
      : []),
    ...section(
      "Not reversible",
      irreversibleParts(plan).map((line) => `    ${line}`),
    ),
  ];
}
