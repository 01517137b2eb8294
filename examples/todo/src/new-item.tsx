import { useState } from 'react';

/** A field that takes one line after the other. */
export function NewItem(props: { placeholder: string; onAdd: (text: string) => Promise<void> }) {
  const [text, setText] = useState('');

  async function add() {
    const trimmed = text.trim();
    if (trimmed === '') return;
    setText('');
    await props.onAdd(trimmed);
  }

  return (
    <form
      className="new-item"
      onSubmit={(event) => {
        event.preventDefault();
        void add();
      }}
    >
      <input
        value={text}
        placeholder={props.placeholder}
        aria-label={props.placeholder}
        onChange={(event) => setText(event.target.value)}
      />
      <button disabled={text.trim() === ''}>Add</button>
    </form>
  );
}
