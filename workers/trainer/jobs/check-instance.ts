/** What the check of an instance needs to know. */
export interface InstanceCheck {
  /** Creates the instance, which is missing. */
  create(): Promise<void>;
  /**
   * Whether the instance was of a process that is dead. The local runtime leaves such an instance `running` without
   * progress: it is paused and resumed, and continues after its last finished step.
   */
  mayBeDead: boolean;
}

/** Acts on a Workflow instance that has ended, is missing, or was killed, and says what it does then. */
export async function checkInstance(
  workflow: Pick<Workflow<never>, "get">,
  id: string,
  { create, mayBeDead }: InstanceCheck,
): Promise<"resumed" | "runs" | { reason: string }> {
  const instance = await workflow.get(id).catch(() => null);
  if (instance === null) {
    await create();
    return "resumed";
  }
  const { status } = await instance.status();
  if (status === "errored" || status === "terminated" || status === "complete")
    return { reason: `The Workflow instance ended with status \`${status}\`.` };
  if (!mayBeDead) return "runs";
  if (status !== "paused") await instance.pause();
  await instance.resume();
  return "resumed";
}
