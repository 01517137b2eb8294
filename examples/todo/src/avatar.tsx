/** The first letter of a name on a colour that belongs to the name. */
export function Avatar({ name }: { name: string }) {
  const hue = [...name].reduce((sum, letter) => sum * 31 + letter.charCodeAt(0), 7) % 360;
  return (
    <span className="avatar" style={{ background: `hsl(${hue} 45% 42%)` }} aria-hidden="true">
      {name.slice(0, 1).toUpperCase()}
    </span>
  );
}
