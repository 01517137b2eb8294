import { useState } from 'react';

interface Props {
  text: string;
  label: string;
  onChange: (text: string) => Promise<unknown>;
}

/** Text that becomes a field where it is clicked; what others change meanwhile does not disturb the one who types. */
export function EditableText({ text, label, onChange }: Props) {
  const [draft, setDraft] = useState<string>();

  async function save() {
    setDraft(undefined);
    const changed = draft?.trim();
    if (changed !== undefined && changed !== '' && changed !== text) await onChange(changed);
  }

  return (
    <input
      className="text"
      aria-label={label}
      value={draft ?? text}
      onChange={(event) => setDraft(event.target.value)}
      onBlur={() => void save()}
      onKeyDown={(event) => {
        if (event.key === 'Enter') event.currentTarget.blur();
        if (event.key === 'Escape') setDraft(undefined);
      }}
    />
  );
}
