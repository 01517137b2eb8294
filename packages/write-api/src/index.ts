export type { UploadConnection, UploadDatabase, UploadQueryResult } from './upload-database.ts';
export {
  createUploadHandler,
  type RequestHandler,
  type UploadHandlerOptions,
  type UploadUser,
} from './upload-handler.ts';
export {
  writeApiConfig,
  DEFAULT_WRITE_API,
  type WriteApiConfig,
} from './config/write-api-config.ts';
export { WRITE_API_SCHEMA } from './config/write-api-schema.ts';
