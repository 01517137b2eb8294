import { sameValue, type Store } from '@sluice/client';
import { useMemo, useSyncExternalStore } from 'react';

/** The store's value, and a new render for each change of it. */
export function useStore<Value>(store: Store<Value>): Value {
  return useSyncExternalStore(store.subscribe, store.getSnapshot, store.getSnapshot);
}

/** A part of the store's value, and a new render only if that part looks different. */
export function useSelected<Value, Selected>(
  store: Store<Value>,
  select: (value: Value) => Selected,
): Selected {
  const getSelected = useMemo(() => selecting(store, select), [store, select]);
  return useSyncExternalStore(store.subscribe, getSelected, getSelected);
}

/** Gives the same object as long as what is selected looks the same. */
function selecting<Value, Selected>(
  store: Store<Value>,
  select: (value: Value) => Selected,
): () => Selected {
  let last: { readonly value: Value; readonly selected: Selected } | undefined;
  return () => {
    const value = store.getSnapshot();
    if (last !== undefined && last.value === value) return last.selected;
    const selected = select(value);
    const isSame = last !== undefined && sameValue(last.selected, selected);
    last = { value, selected: isSame && last !== undefined ? last.selected : selected };
    return last.selected;
  };
}
