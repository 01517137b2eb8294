/** To whom a tab is linked. `ticks` counts how long it has waited for the answer. */
export type TabState =
  | { readonly kind: 'alone' }
  | { readonly kind: 'linking'; readonly leader: string; readonly ticks: number }
  | { readonly kind: 'linked'; readonly leader: string };

export type TabEvent =
  /** A worker says that it leads: when it begins to, and whenever somebody asks. */
  | { readonly kind: 'leads'; readonly leader: string }
  /** The leader has greeted. */
  | { readonly kind: 'linked'; readonly leader: string }
  /** The channel to it is closed. */
  | { readonly kind: 'lost'; readonly leader: string }
  /** Time passes. */
  | { readonly kind: 'tick' };

type TabAction = { readonly kind: 'ask' } | { readonly kind: 'link'; readonly leader: string };

export interface TabStep {
  readonly state: TabState;
  readonly action?: TabAction;
}

export const ALONE: TabState = { kind: 'alone' };
/** After so many, what was said to the leader is taken for lost. */
const PATIENCE_TICKS = 3;

/**
 * What a tab does to be linked to whoever leads. It does not see a leader die: the next one says that it leads, and the tab links to that one.
 *
 * ```
 *          leads              linked
 *   alone -------> linking ------------> linked
 *     ^  ask by tick  |  leads: anew       |  leads (another): linking
 *     '------- lost --'--------- lost -----'
 * ```
 */
export function tabStep(state: TabState, event: TabEvent): TabStep {
  switch (event.kind) {
    case 'leads':
      return led(state, event.leader);
    case 'linked':
      if (state.kind !== 'linking' || state.leader !== event.leader) return { state };
      return { state: { kind: 'linked', leader: event.leader } };
    case 'lost':
      if (state.kind === 'alone' || state.leader !== event.leader) return { state };
      return { state: ALONE, action: { kind: 'ask' } };
    case 'tick':
      return ticked(state);
  }
}

/** One's own answer to others who ask is heard again and again. */
function led(state: TabState, leader: string): TabStep {
  const isKnown = state.kind !== 'alone' && state.leader === leader;
  const isHopeless = state.kind === 'linking' && state.ticks >= PATIENCE_TICKS;
  if (isKnown && !isHopeless) return { state };
  return { state: { kind: 'linking', leader, ticks: 0 }, action: { kind: 'link', leader } };
}

function ticked(state: TabState): TabStep {
  if (state.kind === 'linked') return { state };
  if (state.kind === 'alone') return { state, action: { kind: 'ask' } };
  const ticks = state.ticks + 1;
  const waited: TabState = { ...state, ticks };
  return ticks < PATIENCE_TICKS ? { state: waited } : { state: waited, action: { kind: 'ask' } };
}
