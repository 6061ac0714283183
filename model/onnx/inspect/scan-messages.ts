import type { DescField, DescMessage } from "@bufbuild/protobuf";
import { ScalarType } from "@bufbuild/protobuf";
import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";
import { grouped, modelLimits } from "./limits.ts";
import { refuseModel } from "./refusal.ts";

/** Nesting of messages that a model without subgraphs needs: model, graph, node, attribute, tensor, metadata. */
const maxDepth = 7;

/** How the wire format writes one value of a scalar type; of others, as a varint. */
const wireTypes: Partial<Record<ScalarType, WireType>> = {
  [ScalarType.DOUBLE]: WireType.Bit64,
  [ScalarType.FIXED64]: WireType.Bit64,
  [ScalarType.SFIXED64]: WireType.Bit64,
  [ScalarType.FLOAT]: WireType.Bit32,
  [ScalarType.FIXED32]: WireType.Bit32,
  [ScalarType.SFIXED32]: WireType.Bit32,
  [ScalarType.STRING]: WireType.LengthDelimited,
  [ScalarType.BYTES]: WireType.LengthDelimited,
};

/** Returns how the wire format writes one value of a field. */
function wireTypeOf(field: DescField): WireType {
  if (field.message) return WireType.LengthDelimited;
  return field.scalar === undefined ? WireType.Varint : (wireTypes[field.scalar] ?? WireType.Varint);
}

/** Counts the fields of a file. */
class FieldBudget {
  #used = 0;

  take(count: number): void {
    this.#used += count;
    if (this.#used > modelLimits.fields)
      refuseModel(
        `The file has more than ${grouped(modelLimits.fields)} fields and list values; store weights as raw data.`,
      );
  }
}

const fieldsByNumber = new WeakMap<DescMessage, ReadonlyMap<number, DescField>>();

function fieldsOf(message: DescMessage): ReadonlyMap<number, DescField> {
  let fields = fieldsByNumber.get(message);
  if (!fields) {
    fields = new Map(message.fields.map((field) => [field.number, field]));
    fieldsByNumber.set(message, fields);
  }
  return fields;
}

/** Returns the number of values in the bytes of a packed list. */
function packedCount(wireType: WireType, bytes: Uint8Array): number {
  if (wireType === WireType.Bit64) return Math.ceil(bytes.length / 8);
  if (wireType === WireType.Bit32) return Math.ceil(bytes.length / 4);
  // The last byte of each varint is below 128.
  let count = 0;
  for (const byte of bytes) if (byte < 0x80) count++;
  return count;
}

/**
 * Walks through the bytes of a message and those inside it without creating objects. Refuses a file with unknown or
 * repeated single fields or other wire types, which parsers may read differently, and one with more fields or levels than a model needs: a
 * small file may otherwise become millions of objects. Throws if the bytes are not protobuf.
 */
export function scanMessages(
  message: DescMessage,
  bytes: Uint8Array,
  budget = new FieldBudget(),
  depth = 1,
): void {
  const name = message.name;
  if (depth > maxDepth)
    refuseModel(`The file nests ${name} deeper than ${maxDepth} messages; subgraphs are not supported.`);
  const fields = fieldsOf(message);
  const reader = new BinaryReader(bytes);
  const seen = new Set<DescField | object>();
  while (reader.pos < reader.len) {
    budget.take(1);
    const [number, wireType] = reader.tag();
    const field = fields.get(number);
    if (!field) refuseModel(`The file has the field ${number} in ${name}, which ONNX does not define.`);
    if (field.fieldKind !== "list") {
      // Of the fields of a `oneof`, only one may be there.
      const once = field.oneof ?? field;
      if (seen.has(once))
        refuseModel(`The file has the field \`${field.name}\` of ${name} more than once in one message.`);
      seen.add(once);
    }
    const expected = wireTypeOf(field);
    const isPacked = field.fieldKind === "list" && wireType === WireType.LengthDelimited;
    if (wireType !== expected && !isPacked)
      refuseModel(
        `The file writes the field \`${field.name}\` of ${name} in another wire type than ONNX defines.`,
      );
    if (wireType !== WireType.LengthDelimited) {
      reader.skip(wireType);
      continue;
    }
    const content = reader.bytes();
    if (field.message) scanMessages(field.message, content, budget, depth + 1);
    else if (expected !== WireType.LengthDelimited) budget.take(packedCount(expected, content));
  }
}
