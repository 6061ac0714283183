import type { CandidateBlocks } from "../../shared/contracts/retrieval.ts";
import { type Columns, unpackColumns } from "../columns/columns.ts";
import { decodeProfile, encodeProfile } from "../profile/codec.ts";
import type { CandidateService } from "./ports.ts";
import type { PipelinePorts, PipelineQuery } from "./run-pipeline.ts";

/** Everything that decided one list, besides its model: with it, the same code computes the same list. */
export interface RecordedInputs {
  /** The budget is not recorded: what it left out is missing in `blocks`. */
  query: Omit<PipelineQuery, "budgetMs" | "explain">;
  /** The candidates, as the candidate service returned them. */
  blocks: CandidateBlocks<Columns>;
  /** The random numbers that exploration drew, in order. */
  draws: number[];
  /** Products of the ranking that could not be listed, because their cards said that they are not for sale any more. */
  unlisted: string[];
  /** Number of products among which exploration drew: those of the list, and the next ones. */
  listable: number;
}

/** The version of the form below. Increase it with every change. */
const formatVersion = 1;
const headerBytes = 8;

/** What {@link encodeInputs} writes as JSON, before the profile and the blocks. */
interface Header extends Pick<RecordedInputs, "draws" | "unlisted" | "listable"> {
  query: Omit<RecordedInputs["query"], "profile">;
  /** The consent that counts, which the encoded profile does not say if the user stated none. */
  precision: PipelineQuery["profile"]["precision"];
  blocks: Pick<RecordedInputs["blocks"], "skipped" | "place">;
  /** Lengths in bytes of the sections after the JSON: the profile, `near`, `chosen` and `next`. 0 stands for none. */
  lengths: number[];
}

/**
 * Returns the inputs as bytes: two little-endian uint32, the version of the form and the length of the JSON; then the JSON
 * of a {@link Header}; then the encoded profile and the three blocks.
 */
export function encodeInputs({ query, blocks, ...listing }: RecordedInputs): Uint8Array<ArrayBuffer> {
  const { profile, ...rest } = query;
  const { near, chosen, next, skipped, place } = blocks;
  const sections = [
    encodeProfile(profile),
    ...[near, chosen, next].map((block) =>
      block === null ? new Uint8Array() : new Uint8Array(block.buffer),
    ),
  ];
  const header: Header = {
    ...{ query: rest, precision: profile.precision, blocks: { skipped, place }, ...listing },
    lengths: sections.map(({ byteLength }) => byteLength),
  };
  const json = new TextEncoder().encode(JSON.stringify(header));
  const bytes = new Uint8Array(
    sections.reduce((sum, { byteLength }) => sum + byteLength, headerBytes + json.byteLength),
  );
  const view = new DataView(bytes.buffer);
  view.setUint32(0, formatVersion, true);
  view.setUint32(4, json.byteLength, true);
  let at = headerBytes;
  for (const section of [json, ...sections]) {
    bytes.set(section, at);
    at += section.byteLength;
  }
  return bytes;
}

/** Returns the inputs in the bytes of {@link encodeInputs}; null for bytes of another version of the form. */
export function decodeInputs(bytes: Uint8Array): RecordedInputs | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.byteLength < headerBytes || view.getUint32(0, true) !== formatVersion) return null;
  let at = headerBytes;
  const take = (length: number): Uint8Array<ArrayBuffer> => {
    const section = bytes.slice(at, at + length);
    at += length;
    return section;
  };
  const json = new TextDecoder().decode(take(view.getUint32(4, true)));
  const { query, precision, blocks, lengths, ...listing }: Header = JSON.parse(json);
  const [profile, near, chosen, next] = lengths.map((length) => take(length));
  const block = ({ buffer, byteLength }: Uint8Array<ArrayBuffer>): Columns | null =>
    byteLength === 0 ? null : unpackColumns(buffer);
  return {
    query: { ...query, profile: decodeProfile(profile, precision) },
    blocks: { ...blocks, near: block(near), chosen: block(chosen), next: block(next) },
    ...listing,
  };
}

/** Records what a run of the pipeline reads through its ports, and what its list draws. */
export class InputRecorder {
  readonly ports: PipelinePorts;
  readonly #draws: number[] = [];
  readonly #random: () => number;
  #blocks: CandidateBlocks<Columns> | null = null;

  /** `ports` do the work, and `random` returns numbers in [0, 1). */
  constructor(ports: PipelinePorts, random: () => number = Math.random) {
    this.#random = random;
    const recordingService: CandidateService = {
      gatherCandidates: async (request) => {
        this.#blocks = await ports.candidateService.gatherCandidates(request);
        return this.#blocks;
      },
    };
    this.ports = { ...ports, candidateService: recordingService };
  }

  /** Returns a random number in [0, 1), and records it. */
  readonly draw = (): number => {
    const drawn = this.#random();
    this.#draws.push(drawn);
    return drawn;
  };

  /** Returns what decided the list of a query; null before the candidates have come. */
  inputsOf(
    query: PipelineQuery,
    listing: Pick<RecordedInputs, "unlisted" | "listable">,
  ): RecordedInputs | null {
    if (this.#blocks === null) return null;
    const { budgetMs: _budget, explain: _explain, ...recorded } = query;
    return { query: recorded, blocks: this.#blocks, draws: this.#draws, ...listing };
  }
}
