export type { UploadConnection, UploadDatabase, UploadQueryResult } from './upload-database.ts';
export {
  createUploadHandler,
  type RequestHandler,
  type UploadHandlerOptions,
  type UploadUser,
} from './upload-handler.ts';
