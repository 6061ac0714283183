/** Why a file is refused. The inspection throws it, and `inspectOnnx` answers it: it never leaves this folder. */
export class ModelRefusal extends Error {}

/** Refuses the file. `detail` says what was found and what is right. */
export function refuseModel(detail: string): never {
  throw new ModelRefusal(detail);
}
