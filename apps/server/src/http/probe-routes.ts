import type { FastifyInstance } from 'fastify';
import type { ProbeState } from './backend.ts';
import type { RouteContext } from './http-server.ts';
import { sendJson } from './request-context.ts';
import { runInGroup } from './run-in-group.ts';

const PROBES: Readonly<Record<string, (state: ProbeState) => boolean>> = {
  startup: (state) => state.started,
  liveness: (state) => state.live,
  readiness: (state) => state.ready,
};

/** GET /probes/*: 200 or 400, and the same facts in every body (spec/protocol.md 1.2). */
export function registerProbeRoutes(app: FastifyInstance, context: RouteContext): void {
  for (const [name, isGood] of Object.entries(PROBES)) {
    const onRequest = runInGroup(context.groups.admin);
    app.get(`/probes/${name}`, { onRequest }, async (_request, reply) => {
      const state = context.backend.probes();
      const body = {
        ready: state.ready,
        started: state.started,
        touched_at: new Date(state.touchedAtMs).toISOString(),
        problems: state.problems.map(({ component, code }) => ({ component, code })),
      };
      return sendJson(reply, body, { status: isGood(state) ? 200 : 400 });
    });
  }
}
