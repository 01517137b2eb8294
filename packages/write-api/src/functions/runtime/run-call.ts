import type { WireRequest, CallInput, CallValue, WireResponse } from '../messages.ts';
import type {
  EndpointContext,
  FunctionContext,
  FunctionDefinition,
  FunctionTransaction,
  HookContext,
  SignInFunction,
  TableFunctions,
} from '../define.ts';
import { Reject } from '../define.ts';
import { givenToValues, shownValues } from './hook-values.ts';
import type { HostLink } from './host-link.ts';

/** An answer that is larger is refused: it crosses to the host in one piece. */
const MAX_ANSWER_BYTES = 8 * 1024 * 1024;

export interface RunningCall {
  readonly id: number;
  readonly link: HostLink;
  readonly signal: AbortSignal;
  /** What the function left for after the commit. */
  readonly afterCommits: (() => void | Promise<void>)[];
}

type HookInput = Extract<CallInput, { kind: 'hook' }>;

/** @throws what the function throws. */
export async function runHook(
  functions: TableFunctions,
  input: HookInput,
  call: RunningCall,
): Promise<CallValue> {
  const { write, stored, caller, hook } = input;
  const transaction: FunctionTransaction = { query: queryOf(call) };
  const context: HookContext = {
    ...basicContext(call),
    caller,
    transaction,
    afterCommit: (work) => void call.afterCommits.push(work),
  };
  const values = shownValues(write.values);
  const shown = {
    op: write.op,
    table: write.table,
    id: write.id,
    values,
    old: stored && shownValues(stored),
    base: write.base && shownValues(write.base),
    metadata: write.metadata,
  };
  if (hook === 'afterWrite') {
    await functions.afterWrite?.(shown, context);
    return { kind: 'done' };
  }
  const given = await functions[hook]?.(shown, context);
  if (given === false) return { kind: 'skip' };
  if (write.op === 'DELETE') return { kind: 'write', values: write.values };
  return { kind: 'write', values: givenToValues(given ?? values, write.values) };
}

export async function runEndpoint(
  { functions }: Extract<FunctionDefinition, { kind: 'endpoint' }>,
  input: Extract<CallInput, { kind: 'endpoint' }>,
  call: RunningCall,
): Promise<CallValue> {
  const context = { ...endpointContext(call), params: input.params };
  const request = builtRequest(input.request, call.signal);
  const answer: unknown = functions.public
    ? await functions.handler(request, { ...context, caller: undefined })
    : await functions.handler(request, { ...context, caller: presentCaller(input.caller) });
  return { kind: 'response', response: await wireResponse(answer) };
}

export async function runSignIn(
  functions: SignInFunction,
  input: Extract<CallInput, { kind: 'sign_in' }>,
  call: RunningCall,
): Promise<CallValue> {
  const signedIn = await functions.handler(
    builtRequest(input.request, call.signal),
    endpointContext(call),
  );
  if (signedIn === null || signedIn === undefined) return { kind: 'nobody' };
  if (typeof signedIn.userId !== 'string' || signedIn.userId === '') {
    throw new TypeError('The sign-in gave no userId');
  }
  return { kind: 'signed_in', userId: signedIn.userId, claims: signedIn.claims ?? {} };
}

function presentCaller(caller: EndpointContext['caller'] | undefined): EndpointContext['caller'] {
  if (caller === undefined) throw new Error('An endpoint that is not public is called by somebody');
  return caller;
}

function basicContext({ link, signal }: RunningCall): FunctionContext {
  return {
    signal,
    log: {
      debug: (message, facts) => link.log('debug', message, facts),
      info: (message, facts) => link.log('info', message, facts),
      warn: (message, facts) => link.log('warn', message, facts),
      error: (message, facts) => link.log('error', message, facts),
    },
    fetch: (input, init) =>
      fetch(input, {
        ...init,
        signal: init?.signal ? AbortSignal.any([signal, init.signal]) : signal,
      }),
  };
}

function endpointContext(call: RunningCall): Omit<EndpointContext, 'caller' | 'params'> {
  let isOpen = false;
  return {
    ...basicContext(call),
    async transaction(work) {
      if (isOpen) throw new Error('A transaction is open already; end it before the next one');
      isOpen = true;
      try {
        return await inTransaction(call, work);
      } finally {
        isOpen = false;
      }
    },
  };
}

async function inTransaction<T>(
  call: RunningCall,
  work: (transaction: FunctionTransaction) => Promise<T>,
): Promise<T> {
  const { link, id } = call;
  await link.request(id, { kind: 'begin' });
  let result: T;
  try {
    result = await work({ query: queryOf(call) });
  } catch (error) {
    await link.request(id, { kind: 'rollback' });
    throw error;
  }
  await link.request(id, { kind: 'commit' });
  return result;
}

function queryOf({ link, id }: RunningCall): FunctionTransaction['query'] {
  return async <Row>(sql: string, parameters: readonly unknown[] = []) => {
    const answer = await link.request(id, { kind: 'query', sql, parameters });
    return { rows: answer.rows as readonly Row[], rowCount: answer.rowCount };
  };
}

function builtRequest({ method, url, headers, body }: WireRequest, signal: AbortSignal): Request {
  const list = headers.map(([name, value]): [string, string] => [name, value]);
  return new Request(url, { method, headers: list, signal, ...(body ? { body } : {}) });
}

async function wireResponse(answer: unknown): Promise<WireResponse> {
  const response = answer instanceof Response ? answer : valueResponse(answer);
  const body = new Uint8Array(await response.arrayBuffer());
  if (body.byteLength > MAX_ANSWER_BYTES) {
    throw new Reject(`The answer is larger than ${MAX_ANSWER_BYTES} bytes`, { status: 500 });
  }
  return { status: response.status, headers: [...response.headers], body };
}

function valueResponse(value: unknown): Response {
  if (value === undefined) return new Response(null, { status: 204 });
  const text = JSON.stringify(value, (_, part: unknown) =>
    typeof part === 'bigint' ? Number(part) : part,
  );
  return new Response(text, { headers: { 'content-type': 'application/json' } });
}
