/**
 * One of the things the write API answers. `createWriteApi` routes to it, adds CORS headers, and
 * turns an `AppError` that it throws into an answer of that error's status.
 */
export interface Route {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** E.g. `/data/:table/:id`; a name after `:` stands for one segment, which comes decoded. */
  readonly path: string;
  readonly handle: (
    request: Request,
    params: Readonly<Record<string, string>>,
    client?: ClientFacts,
  ) => Promise<Response>;
}

/** What is known of who sends a request, beside the request. */
export interface ClientFacts {
  /** Its network address as the socket says it; undefined where the server did not tell. */
  readonly address?: string | undefined;
}
