import type { Instruction } from './explain-program.ts';
import { changeName, type SchemaCatalog } from './schema-catalog.ts';
import { virtualTableWrites } from './virtual-tables.ts';

/** `OpenWrite` of a b-tree that the statement itself makes: P2 is a register, not a page. */
const PAGE_IN_REGISTER = 0x10;

/**
 * The tables that running a statement may write, named as in a `ChangeSet`: through its triggers and foreign
 * keys too, by truncation, in virtual tables with their shadows; `sqlite_schema` where it changes the schema.
 */
export function writesOf(
  instructions: readonly Instruction[],
  catalog: SchemaCatalog,
): ReadonlySet<string> {
  const written = new Set<string>();
  for (const instruction of instructions) {
    for (const name of writtenBy(instruction, catalog)) written.add(name);
  }
  return written;
}

function writtenBy(
  { opcode, p1, p2, p3, p4, p5 }: Instruction,
  catalog: SchemaCatalog,
): readonly string[] {
  switch (opcode) {
    case 'OpenWrite':
      return (p5 & PAGE_IN_REGISTER) === 0 ? tableAt(p3, p2, catalog) : ['sqlite_schema'];
    case 'Clear':
      return tableAt(p2, p1, catalog);
    case 'Destroy':
      return tableAt(p3, p1, catalog);
    case 'VUpdate':
      return catalog.virtualTables(p4).flatMap((table) => virtualTableWrites(table, catalog));
    case 'Function':
      return /^sqlite_(?:at|de)tach\(/.test(p4) ? ['sqlite_schema'] : [];
    case 'VCreate':
    case 'VDestroy':
    case 'ParseSchema':
      return ['sqlite_schema'];
    default:
      return [];
  }
}

function tableAt(database: number, rootPage: number, catalog: SchemaCatalog): readonly string[] {
  const btree = catalog.btree(database, rootPage);
  return [btree === undefined ? 'sqlite_schema' : changeName(btree.table)];
}
