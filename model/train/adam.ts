/** Adam's running means of one parameter's gradient (`m`) and squared gradient (`v`). */
export interface AdamMoments {
  m: Float32Array;
  v: Float32Array;
}

/** The paper's default constants. */
const beta1 = 0.9;
const beta2 = 0.999;
const epsilon = 1e-8;

/**
 * Makes one step of Adam (Kingma and Ba, ICLR 2015) with decoupled weight decay (Loshchilov and Hutter, ICLR 2019), in
 * place. `step` counts from 1. The step follows the gradient divided by `scale`.
 */
export function adamStep(
  data: Float32Array,
  gradient: Float32Array,
  { m, v }: AdamMoments,
  step: number,
  learningRate: number,
  weightDecay: number,
  scale: number,
): void {
  const correction1 = 1 - beta1 ** step;
  const correction2 = 1 - beta2 ** step;
  for (let i = 0; i < data.length; i++) {
    const g = gradient[i] / scale;
    m[i] = beta1 * m[i] + (1 - beta1) * g;
    v[i] = beta2 * v[i] + (1 - beta2) * g * g;
    data[i] -=
      learningRate * (m[i] / correction1 / (Math.sqrt(v[i] / correction2) + epsilon) + weightDecay * data[i]);
  }
}
