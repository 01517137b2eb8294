import { AppError, isJsonObject, type JsonObject } from '@sluice/base';
import type { DeployPlan, DeployStatus } from '@sluice/server';

const TIMEOUT_MS = 60_000;

/** The admin API of a running service (docs/operations.md), as far as deploys need it. */
export class AdminClient {
  readonly url: string;
  readonly #token: string;

  /** `url` as people type it. */
  constructor(url: string, token: string) {
    this.url = url.replace(/\/+$/, '');
    this.#token = token;
  }

  async plan(text: string): Promise<DeployPlan> {
    return (await this.#post('admin/v1/plan', { sync_rules: text })) as DeployPlan;
  }

  /** Resolves once the deploy is durable. */
  async deploy(text: string): Promise<void> {
    await this.#post('sync-rules/v1/deploy', { content: text });
  }

  async rollBack(): Promise<void> {
    await this.#post('admin/v1/rollback', {});
  }

  async status(): Promise<DeployStatus> {
    return (await this.#post('admin/v1/status', {})) as DeployStatus;
  }

  /**
   * @throws AppError `CLI_SERVICE_UNREACHABLE` when nothing answers or the failure may pass,
   * `CLI_REQUEST_REFUSED` with the service's own words.
   */
  async #post(route: string, body: JsonObject): Promise<unknown> {
    let response: Response;
    let text: string;
    try {
      response = await fetch(`${this.url}/api/${route}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Token ${this.#token}` },
        body: JSON.stringify(body),
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      text = await response.text();
    } catch (cause) {
      throw new AppError('CLI_SERVICE_UNREACHABLE', `No service answers at ${this.url}`, { cause });
    }
    const parsed = parse(text);
    if (response.ok && parsed !== undefined) return parsed['data'];
    throw refusal(this.url, response.status, parsed?.['error']);
  }
}

function refusal(url: string, status: number, error: unknown): AppError {
  const facts = isJsonObject(error) ? error : {};
  const text = (name: string): string => {
    const value = facts[name];
    return typeof value === 'string' ? value : '';
  };
  if (status === 401) {
    return new AppError('CLI_REQUEST_REFUSED', `The service at ${url} does not accept the token`, {
      remedy: 'Name one of its api.tokens with --token',
    });
  }
  if (status === 404) {
    return new AppError('CLI_REQUEST_REFUSED', `What answers at ${url} is no Sluice service`);
  }
  const message = text('description') || `The service answered ${status}`;
  const isListing = text('code') === 'PSYNC_R0001';
  const [code = '', remedy = ''] = isListing ? [] : text('details').split(/: (.*)/s);
  return new AppError(
    status >= 500 ? 'CLI_SERVICE_UNREACHABLE' : 'CLI_REQUEST_REFUSED',
    isListing ? `${message}\n\n${text('details')}` : message,
    { remedy: remedy || undefined, details: { status, code: code || text('code') } },
  );
}

function parse(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isJsonObject(value) ? value : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined; // a proxy in between, say
    throw error;
  }
}
