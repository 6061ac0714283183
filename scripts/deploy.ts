// `npm run deploy -- --env NAME`: creates what an environment lacks in a Cloudflare account, migrates its databases, and
// moves requests to the new versions of all workers. It may be run again at any time, and goes on where it stopped.
//   --dry-run              prints the plan and changes nothing
//   --rollback             gives all requests back to the versions before the newest release
//   --yes                  does not ask before it changes something
//   --secrets-file FILE    reads secrets from FILE, and adds to it those that are made
//   --replace-secret NAME  gives all workers a new value of a secret that is lost
//   --application NAME     application of the first admin key, if not that of the environment
//   --key-file FILE        new file for the first admin key
//   --take-over            goes on at once with a deployment that was interrupted
import { randomBytes } from "node:crypto";
import { createInterface } from "node:readline/promises";
import { parseArgs } from "node:util";
import { exitWithError, parseOrExit } from "../model/cli/options.ts";
import { applicationName } from "../shared/contracts/primitives.ts";
import { accountOf } from "./deploy/account/account-of.ts";
import { recordOf } from "./deploy/account/account-state.ts";
import { configuredWorkers } from "./deploy/configuration/configured-workers.ts";
import { readEnvironment } from "./deploy/configuration/environment.ts";
import { writeConfiguration } from "./deploy/configuration/worker-configuration.ts";
import { createFirstKey } from "./deploy/first-key.ts";
import { planLines } from "./deploy/plan/plan-lines.ts";
import { secretValues } from "./deploy/plan/secret-values.ts";
import { preparePlan } from "./deploy/prepare-plan.ts";
import { releaseLabel } from "./deploy/release-label.ts";
import { checkNoneRuns, planRollback, rollBack } from "./deploy/rollout/rollback.ts";
import { smokeParts } from "./deploy/rollout/smoke-test.ts";
import { runPlan } from "./deploy/run-plan.ts";
import { askSecret } from "./secrets/ask-secret.ts";
import { outputConditions } from "./secrets/secret-output.ts";
import { ProgressLine } from "./terminal/progress-line.ts";

const usage = `Usage: npm run deploy -- --env NAME [--dry-run | --rollback] [--yes] [--secrets-file FILE]
         [--replace-secret NAME] [--application NAME] [--key-file FILE] [--take-over]`;
const { values } = parseOrExit(() => {
  const parsed = parseArgs({
    options: {
      env: { type: "string" },
      "dry-run": { type: "boolean", default: false },
      rollback: { type: "boolean", default: false },
      yes: { type: "boolean", default: false },
      "secrets-file": { type: "string" },
      "replace-secret": { type: "string", multiple: true, default: [] },
      application: { type: "string" },
      "key-file": { type: "string" },
      "take-over": { type: "boolean", default: false },
    },
  });
  if (parsed.values["dry-run"] && parsed.values.rollback)
    throw new Error("Give --dry-run or --rollback, not both: --rollback shows what it does before it asks.");
  return parsed;
}, usage);

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
const now = () => Date.now() / 1000;
const begin = (name: string) => new ProgressLine(name);
/** Whether a user sees the output and can answer. */
const isInteractive = process.stdin.isTTY === true && process.stdout.isTTY === true && !process.env.CI;

const environment = parseOrExit(() => {
  if (values.env === undefined) throw new Error("Name the environment, for example --env staging.");
  return readEnvironment(values.env);
}, usage);
const application = parseOrExit(() => {
  const parsed = applicationName.safeParse(values.application ?? environment.application);
  if (!parsed.success)
    throw new Error(
      `--application "${values.application}" is not a valid name: ${parsed.error.issues[0]?.message}`,
    );
  return parsed.data;
}, usage);
const account = accountOf(environment);

/** Returns whether the user agrees; without a terminal, the command itself says so. */
async function confirm(question: string): Promise<boolean> {
  if (values.yes || !isInteractive) return true;
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  const answer = await terminal.question(`\n  ${question} [y/N] `);
  terminal.close();
  return /^y(es)?$/i.test(answer.trim());
}

/** Prints the plan, and carries it out unless it is a dry run. */
async function deploy(): Promise<void> {
  const label = releaseLabel();
  console.log(`${values["dry-run"] ? "Plan of" : "Deploy"} ${label} to ${environment.name}\n`);
  const prepared = await preparePlan(account, environment, begin, values["replace-secret"]);
  for (const line of planLines(prepared.plan, environment)) console.log(line);
  if (values["dry-run"]) return;
  if (prepared.isAccountUnknown)
    throw new Error("Log in first: npx wrangler login, or set CLOUDFLARE_API_TOKEN.");
  if (!(await confirm(`Deploy to ${environment.name}?`))) return;
  const secrets = await secretValues(prepared.plan.secrets, {
    file: values["secrets-file"],
    given: process.env,
    ask: isInteractive ? askSecret : null,
    random: () => randomBytes(32).toString("hex"),
  });
  console.log("");
  const parts = { account, begin, now, smoke: smokeParts, label, takeOver: values["take-over"] };
  const url = await runPlan(prepared, parts, secrets);
  const key = await createFirstKey(
    account,
    environment,
    application,
    outputConditions(values["key-file"]),
    now,
  );
  console.log(`\n  ${label} serves ${environment.name}${url === null ? "" : ` at ${url}`}`);
  if (key !== null) console.log(`  ${key}`);
  console.log(`  To undo it: npm run deploy -- --env ${environment.name} --rollback`);
}

/** Gives all requests back to the versions before the newest release. */
async function undo(): Promise<void> {
  const record = recordOf(account, environment, now);
  const workers = configuredWorkers(environment);
  if (!values["take-over"]) await checkNoneRuns(record, now());
  const rollback = await planRollback(
    record,
    workers.map(({ name }) => name),
  );
  console.log(`Roll back ${rollback.release.label} on ${environment.name}\n`);
  for (const { worker, versionId } of rollback.steps) console.log(`    ${worker}  → version ${versionId}`);
  console.log("\n  Databases keep their migrations, and routes, crons and queues stay as they are.");
  if (!(await confirm("Roll back?"))) return;
  const configOf = (name: string): string => {
    const worker = workers.find((each) => each.name === name);
    if (!worker)
      throw new Error(
        `The worker ${name} is not in this version of the code; check out the one that deployed it.`,
      );
    return writeConfiguration(worker, environment, worker.configuration);
  };
  await rollBack(account, record, rollback, configOf, ({ worker }) => begin(`Roll back ${worker}`));
}

try {
  await (values.rollback ? undo() : deploy());
} catch (error) {
  exitWithError(
    values.rollback
      ? `\nThe rollback stopped: ${messageOf(error)}`
      : `\nThe deployment stopped: ${messageOf(error)}\nFix the cause and run the command again: it goes on where it stopped.`,
  );
}
