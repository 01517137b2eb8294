import { isJsonObject, type JsonObject } from '@sluice/base';
import type { SqliteValue } from '@sluice/model';
import { REQUEST_COLUMNS } from '../expr/request-functions.ts';
import { formatPlainJson } from '../values/json-elements.ts';

/** The request's data in the order of `REQUEST_COLUMNS`, each as JSON text. */
export function requestSlots(
  claims: JsonObject,
  connection: JsonObject,
  subscription: JsonObject,
): SqliteValue[] {
  const tokenParameters = {
    ...(isJsonObject(claims['parameters']) ? claims['parameters'] : {}),
    user_id: claims['sub'] ?? null,
  };
  const byColumn = { auth: claims, connection, subscription, token_parameters: tokenParameters };
  return REQUEST_COLUMNS.map((column) => formatPlainJson(byColumn[column]));
}
