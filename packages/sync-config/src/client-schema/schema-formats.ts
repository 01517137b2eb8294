import { DART } from './formats/dart.ts';
import { DOTNET_CLASSES } from './formats/dotnet-classes.ts';
import { DOTNET } from './formats/dotnet.ts';
import { JAVASCRIPT_LEGACY } from './formats/javascript-legacy.ts';
import { JAVASCRIPT, TYPESCRIPT } from './formats/javascript.ts';
import { KOTLIN } from './formats/kotlin.ts';
import { ROOM } from './formats/room.ts';
import type { SchemaFormat } from './formats/schema-format.ts';
import { SLUICE } from './formats/sluice.ts';
import { DRIFT, SQLDELIGHT } from './formats/sql.ts';
import { SWIFT } from './formats/swift.ts';

/** Every kind of file that a client schema can be written as. Source: spec/sync-config.md 17.5. */
export const SCHEMA_FORMATS: readonly SchemaFormat[] = [
  TYPESCRIPT,
  JAVASCRIPT,
  JAVASCRIPT_LEGACY,
  SLUICE,
  DART,
  DRIFT,
  KOTLIN,
  ROOM,
  SQLDELIGHT,
  SWIFT,
  DOTNET,
  DOTNET_CLASSES,
];
