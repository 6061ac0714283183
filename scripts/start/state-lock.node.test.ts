import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { listProcesses } from "../processes/list-processes.ts";
import { lockState } from "./state-lock.ts";

const stateDir = mkdtempSync(join(tmpdir(), "vicinity-lock-"));
const file = join(stateDir, "running.json");
const started: ChildProcess[] = [];

/** Starts a process that does nothing, and returns how a lock names it. */
function startProcess() {
  const child = spawn(process.execPath, ["-e", "setInterval(() => undefined, 1000)"]);
  started.push(child);
  const found = listProcesses().find(({ pid }) => pid === child.pid);
  if (!found) throw new Error("The process is not listed.");
  const { pid, name, started: since } = found;
  return { pid, name, started: since };
}

const isListed = (pid: number): boolean => listProcesses().some((each) => each.pid === pid);
/** A process that has ended. */
const ended = { pid: 1_999_999_999, name: "node", started: "1" };

afterEach(() => {
  for (const child of started.splice(0)) child.kill("SIGKILL");
  rmSync(file, { force: true });
});

describe("lockState", () => {
  it("refuses a state that a running process uses, and says which", async () => {
    const owner = startProcess();
    writeFileSync(file, JSON.stringify({ owner, children: [] }));
    await expect(lockState(stateDir)).rejects.toThrow(`in use by process ${owner.pid}`);
    expect(isListed(owner.pid)).toBe(true);
  });

  it("ends what a killed process has started, and nothing else", async () => {
    const [leftover, other] = [startProcess(), startProcess()];
    const reusedId = { ...other, started: "1" };
    writeFileSync(file, JSON.stringify({ owner: ended, children: [leftover, reusedId, ended] }));
    await lockState(stateDir);
    expect([leftover, other].map(({ pid }) => isListed(pid))).toEqual([false, true]);
  });

  it("takes a state whose owner's id belongs to another process now", async () => {
    const other = startProcess();
    writeFileSync(file, JSON.stringify({ owner: { ...other, started: "1" }, children: [] }));
    await lockState(stateDir);
    expect(JSON.parse(readFileSync(file, "utf8")).owner.pid).toBe(process.pid);
  });

  it("is given to one of several commands that start at the same moment", async () => {
    const script = `import { lockState } from ${JSON.stringify(join(import.meta.dirname, "state-lock.ts"))};
      await lockState(process.argv[1]).then(() => console.log("taken"), () => console.log("refused"));
      setInterval(() => undefined, 1000);`;
    const commands = Array.from({ length: 5 }, () => {
      const child = spawn(process.execPath, ["--input-type=module", "-e", script, stateDir]);
      started.push(child);
      return new Promise<string>((resolve) =>
        child.stdout.once("data", (text) => resolve(String(text).trim())),
      );
    });
    const answers = await Promise.all(commands);
    expect(answers.sort()).toEqual(["refused", "refused", "refused", "refused", "taken"]);
  });

  it("takes a state whose taking was interrupted", async () => {
    const directory = join(stateDir, "running.taking");
    mkdirSync(directory);
    const longAgo = new Date(Date.now() - 60_000);
    utimesSync(directory, longAgo, longAgo);
    await lockState(stateDir);
    expect(JSON.parse(readFileSync(file, "utf8")).owner.pid).toBe(process.pid);
    expect(existsSync(directory)).toBe(false);
  });

  it("takes a state whose lock was written in part", async () => {
    writeFileSync(file, '{"owner":');
    await lockState(stateDir);
    expect(JSON.parse(readFileSync(file, "utf8")).owner.pid).toBe(process.pid);
  });

  it("records the processes that this one has started, until the state is given back", async () => {
    const lock = await lockState(stateDir);
    const child = startProcess();
    lock.recordChildren();
    expect(JSON.parse(readFileSync(file, "utf8")).children).toContainEqual(
      expect.objectContaining({ pid: child.pid, started: child.started }),
    );
    lock.release();
    expect(existsSync(file)).toBe(false);
  });
});
