import { SourceError } from '@sluice/base';
import type { ChangeEvent } from '@sluice/source';
import { PgOutputDecoder } from '../../../packages/source-postgres/src/pgoutput/pg-output-decoder.ts';
import { planRelation } from '../../../packages/source-postgres/src/pgoutput/relation-plan.ts';
import { TypeCatalog } from '../../../packages/source-postgres/src/types/type-catalog.ts';
import type { DecoderTarget } from './target.ts';

/*
 * Messages as PostgreSQL documents them. Several make one input, each behind its length, so that
 * damage can also reorder them, leave some out and change what relation the changes are read by.
 */
const RELATION =
  '5200000005' + '7075626c696300' + '7400' + '64' + '0003' +
  '01696400' + '00000014' + 'ffffffff' +
  '006e616d6500' + '00000019' + 'ffffffff' +
  '007461677300' + '000003f1' + 'ffffffff'; // prettier-ignore
const BEGIN = '42' + '0000000100000010' + '00000000000f4240' + '0000004d';
const INSERT =
  '4900000005' + '4e' + '0003' +
  '740000000131' + '7400000002c3a9' + '74000000077b612c2262227d'; // prettier-ignore
const UPDATE =
  '5500000005' + '4b' + '0003' + '740000000131' + '6e' + '6e' +
  '4e' + '0003' + '740000000132' + '75' + '6e'; // prettier-ignore
const DELETE = '4400000005' + '4b' + '0003' + '740000000132' + '6e' + '6e';
const TRUNCATE = '54' + '00000001' + '00' + '00000005';
const COMMIT = '43' + '00' + '0000000100000010' + '0000000100000040' + '00000000000f4240';

function framed(messages: readonly string[]): Uint8Array {
  return Buffer.concat(
    messages.flatMap((hex) => {
      const length = Buffer.alloc(2);
      length.writeUInt16BE(hex.length / 2);
      return [length, Buffer.from(hex, 'hex')];
    }),
  );
}

function unframed(bytes: Uint8Array): Buffer[] {
  const all = Buffer.from(bytes);
  const messages: Buffer[] = [];
  for (let at = 0; at + 2 <= all.length;) {
    const start = at + 2;
    at = start + all.readUInt16BE(at);
    messages.push(all.subarray(start, at));
  }
  return messages;
}

export const PGOUTPUT: DecoderTarget = {
  name: 'pgoutput',
  samples: [
    framed([BEGIN, RELATION, INSERT, UPDATE, DELETE, TRUNCATE, COMMIT]),
    framed([BEGIN, RELATION, INSERT, COMMIT, BEGIN, UPDATE, COMMIT]),
  ],
  bombs: {
    'a relation of 65535 columns': framed([BEGIN, RELATION.replace('640003', '64ffff')]),
    'a row of 65535 columns': framed([BEGIN, RELATION, INSERT.replace('4e0003', '4effff')]),
    'a value longer than the message': framed([
      BEGIN,
      RELATION,
      INSERT.replace('7400000001', '747fffffff'),
    ]),
    'a value of negative length': framed([
      BEGIN,
      RELATION,
      INSERT.replace('7400000001', '74ffffffff'),
    ]),
    'a truncate of four billion tables': framed([BEGIN, RELATION, '54ffffffff00']),
  },
  decode: async (bytes) => {
    const types = new TypeCatalog();
    const decoder = new PgOutputDecoder({
      describe: (relation) => planRelation(relation, types),
      isWanted: () => true,
    });
    const events: ChangeEvent[] = [];
    for (const message of unframed(bytes)) await decoder.decode(message, events);
    return events;
  },
  isRefusal: (error) => error instanceof SourceError && error.code === 'SOURCE_PROTOCOL',
};
