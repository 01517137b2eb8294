import { isJsonObject, type JsonObject } from '@sluice/base';
import type { SqliteValue } from '@sluice/model';
import { REQUEST_COLUMNS } from '../expr/request-functions.ts';
import type { Dialect } from '../values/dialect.ts';

/** The request's data in the order of `REQUEST_COLUMNS`, each as JSON text. */
export function requestSlots(
  claims: JsonObject,
  connection: JsonObject,
  subscription: JsonObject,
  dialect: Dialect,
): SqliteValue[] {
  const tokenParameters = {
    ...(isJsonObject(claims['parameters']) ? claims['parameters'] : {}),
    user_id: claims['sub'] ?? null,
  };
  const byColumn = { auth: claims, connection, subscription, token_parameters: tokenParameters };
  return REQUEST_COLUMNS.map((column) => dialect.requestText(byColumn[column]));
}
