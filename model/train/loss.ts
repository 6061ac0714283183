import type { TrainingList } from "../features/batch.ts";

/** How much the pointwise loss, which calibrates, counts beside the listwise, which ranks. */
export const pointwiseShare = 0.2;
/** How much the purchase head counts beside the engagement head. */
export const purchaseShare = 0.5;

/**
 * Listwise softmax cross entropy (Cao et al., "Learning to Rank: From Pairwise Approach to Listwise Approach", ICML
 * 2007, top one): minus the sum of targets, normalised to one, times log softmax of the logits. Beside it binary cross
 * entropy for each row, averaged over the list. A row that stands for many candidates counts as many in the softmax
 * (importance sampling: Bengio and Senecal, "Adaptive Importance Sampling to Accelerate Training of a Neural
 * Probabilistic Language Model", IEEE TNN 2008). Writes gradients and answers the loss; a list without a target only has
 * the pointwise part.
 */
function headLoss(
  logits: Float32Array,
  targets: Float32Array,
  standsFor: Float32Array,
  judged: Float32Array | undefined,
  gradient: Float32Array,
  weight: number,
): number {
  const n = logits.length;
  let most = Number.NEGATIVE_INFINITY;
  let total = 0;
  for (let i = 0; i < n; i++) {
    most = Math.max(most, logits[i]);
    total += targets[i];
  }
  let sum = 0;
  for (let i = 0; i < n; i++) sum += standsFor[i] * Math.exp(logits[i] - most);
  const logSum = Math.log(sum) + most;
  let loss = 0;
  for (let i = 0; i < n; i++) {
    if (total > 0) {
      const target = targets[i] / total;
      loss -= target * (logits[i] - logSum);
      gradient[i] += weight * (standsFor[i] * Math.exp(logits[i] - logSum) - target);
    }
    const probability = 1 / (1 + Math.exp(-logits[i]));
    const certain = Math.max(1e-7, targets[i] > 0.5 ? probability : 1 - probability);
    const pointwise = judged ? pointwiseShare * judged[i] : pointwiseShare;
    loss -= pointwise * Math.log(certain);
    gradient[i] += weight * pointwise * (probability - targets[i]);
  }
  return weight * loss;
}

/** The loss of one list over both heads; gradients with respect to the logits are added. */
export function listLoss(
  engage: { data: Float32Array; grad: Float32Array },
  purchase: { data: Float32Array; grad: Float32Array },
  targets: Pick<TrainingList, "engage" | "purchase" | "standsFor" | "judged">,
  weight: number,
): number {
  return (
    headLoss(engage.data, targets.engage, targets.standsFor, targets.judged, engage.grad, weight) +
    headLoss(
      purchase.data,
      targets.purchase,
      targets.standsFor,
      targets.judged,
      purchase.grad,
      weight * purchaseShare,
    )
  );
}
