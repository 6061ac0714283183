/** Key of a model's file in R2: by content, so it never changes. */
export const modelKey = (application: string, sha256: string): string =>
  `${application}/models/${sha256}.onnx`;
