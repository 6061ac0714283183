import type { TrainingList } from "../features/batch.ts";

/** Weight of the pointwise loss, which calibrates, relative to the listwise loss, which ranks. */
export const pointwiseLossWeight = 0.2;
/** Weight of the purchase head's loss relative to the engagement head's. */
export const purchaseLossWeight = 0.5;

/** Smallest probability in the pointwise loss, which keeps its logarithm finite. */
const minProbability = 1e-7;

/**
 * Returns the loss of one head and adds its gradient to `gradient`.
 *
 * The listwise part is softmax cross entropy (Cao et al., "Learning to Rank: From Pairwise Approach to Listwise
 * Approach", ICML 2007, top one): minus the sum of targets, normalized to one, times the log softmax of the logits. A
 * row that represents several candidates counts as many times in the softmax (importance sampling: Bengio and Senecal,
 * "Adaptive Importance Sampling to Accelerate Training of a Neural Probabilistic Language Model", IEEE TNN 2008).
 *
 * The pointwise part is the sum of the rows' binary cross entropies, times {@link pointwiseLossWeight}. A list without
 * a target has only the pointwise part.
 */
function headLoss(
  logits: Float32Array,
  targets: Float32Array,
  candidatesRepresented: Float32Array,
  pointwiseWeights: Float32Array | undefined,
  gradient: Float32Array,
  weight: number,
): number {
  const n = logits.length;
  let maxLogit = Number.NEGATIVE_INFINITY;
  let total = 0;
  for (let i = 0; i < n; i++) {
    maxLogit = Math.max(maxLogit, logits[i]);
    total += targets[i];
  }
  let sum = 0;
  for (let i = 0; i < n; i++) sum += candidatesRepresented[i] * Math.exp(logits[i] - maxLogit);
  const logSum = Math.log(sum) + maxLogit;
  let loss = 0;
  for (let i = 0; i < n; i++) {
    if (total > 0) {
      const target = targets[i] / total;
      loss -= target * (logits[i] - logSum);
      gradient[i] += weight * (candidatesRepresented[i] * Math.exp(logits[i] - logSum) - target);
    }
    const probability = 1 / (1 + Math.exp(-logits[i]));
    const targetProbability = Math.max(minProbability, targets[i] > 0.5 ? probability : 1 - probability);
    const pointwise = pointwiseWeights ? pointwiseLossWeight * pointwiseWeights[i] : pointwiseLossWeight;
    loss -= pointwise * Math.log(targetProbability);
    gradient[i] += weight * pointwise * (probability - targets[i]);
  }
  return weight * loss;
}

/** Returns the loss of one list over both heads, and adds the gradients with respect to the logits. */
export function listLoss(
  engage: { data: Float32Array; grad: Float32Array },
  purchase: { data: Float32Array; grad: Float32Array },
  targets: Pick<TrainingList, "engage" | "purchase" | "candidatesRepresented" | "pointwiseWeights">,
  weight: number,
): number {
  return (
    headLoss(
      engage.data,
      targets.engage,
      targets.candidatesRepresented,
      targets.pointwiseWeights,
      engage.grad,
      weight,
    ) +
    headLoss(
      purchase.data,
      targets.purchase,
      targets.candidatesRepresented,
      targets.pointwiseWeights,
      purchase.grad,
      weight * purchaseLossWeight,
    )
  );
}
