/** Returns the R2 key of a model's file. The key contains the file's hash, so the file under a key never changes. */
export const modelKey = (application: string, sha256: string): string =>
  `${application}/models/${sha256}.onnx`;
