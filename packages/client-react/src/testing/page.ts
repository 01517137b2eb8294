import { Window } from 'happy-dom';
import { until } from '@sluice/testing';
import type { ReactNode } from 'react';
import type { createRoot, hydrateRoot } from 'react-dom/client';
import { afterAll, afterEach, beforeAll } from 'vitest';

/** What React DOM asks of its surroundings. Other tests run in the same thread, so it is taken away at the end. */
const NAMES = ['window', 'document', 'navigator'] as const;

interface Rendered {
  readonly text: string;
  readonly html: string;
  readonly rerender: (element: ReactNode) => void;
  readonly unmount: () => void;
  /** Until the page shows exactly this text. */
  readonly shows: (text: string) => Promise<void>;
  readonly click: (selector: string) => void;
}

export interface Page {
  readonly render: (element: ReactNode) => Rendered;
  /** As from a server, with the HTML that is there already. */
  readonly hydrate: (html: string, element: ReactNode) => Rendered;
  /** What React or a component reported. */
  readonly errors: unknown[];
}

interface ReactDom {
  readonly createRoot: typeof createRoot;
  readonly hydrateRoot: typeof hydrateRoot;
}

/** A page for the tests of the file that calls it, without `act`: updates come as React schedules them. */
export function usePage(): Page {
  const window = new Window();
  const before = new Map<string, PropertyDescriptor | undefined>();
  const errors: unknown[] = [];
  const roots: { unmount(): void }[] = [];
  let dom: ReactDom | undefined;

  beforeAll(async () => {
    for (const name of NAMES) {
      before.set(name, Object.getOwnPropertyDescriptor(globalThis, name));
      const value: unknown = name === 'window' ? window : window[name];
      Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
    }
    dom = await import('react-dom/client'); // It looks for the window when it is loaded.
  });

  afterEach(async () => {
    for (const root of roots.splice(0)) root.unmount();
    // React's scheduler has a turn of the event loop to come.
    for (let turn = 0; turn < 3; turn += 1) await new Promise(setImmediate);
  });

  afterAll(async () => {
    for (const [name, descriptor] of before) {
      if (descriptor === undefined) Reflect.deleteProperty(globalThis, name);
      else Object.defineProperty(globalThis, name, descriptor);
    }
    await window.happyDOM.close();
  });

  const options = {
    onUncaughtError: (error: unknown) => void errors.push(error),
    onRecoverableError: (error: unknown) => void errors.push(error),
    onCaughtError: () => undefined,
  };
  const container = (html = '') => {
    const element = window.document.createElement('div');
    element.innerHTML = html;
    window.document.body.append(element);
    return element;
  };
  const loaded = () => {
    if (dom === undefined) throw new Error('A page renders inside tests');
    return dom;
  };
  const rendered = (
    element: ReturnType<typeof container>,
    root: { render(node: ReactNode): void; unmount(): void },
  ): Rendered => {
    roots.push(root);
    return {
      get text() {
        return element.textContent;
      },
      get html() {
        return element.innerHTML;
      },
      rerender: (node) => root.render(node),
      unmount: () => root.unmount(),
      shows: async (text) => {
        try {
          await until('the text', () => element.textContent === text, 5000);
        } catch {
          throw new Error(`Shows "${element.textContent}" instead of "${text}"`);
        }
      },
      click: (selector) => {
        const button = element.querySelector(selector);
        if (button === null) throw new Error(`There is no ${selector}`);
        button.dispatchEvent(new window.Event('click', { bubbles: true }));
      },
    };
  };
  return {
    errors,
    render: (node) => {
      const element = container();
      const root = loaded().createRoot(element as unknown as Element, options);
      root.render(node);
      return rendered(element, root);
    },
    hydrate: (html, node) => {
      const element = container(html);
      const root = loaded().hydrateRoot(element as unknown as Element, node, options);
      return rendered(element, root);
    },
  };
}
