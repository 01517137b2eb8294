import { Avatar } from './avatar.tsx';

const SAMPLE_USERS = [
  { id: 'alice', name: 'Alice' },
  { id: 'bob', name: 'Bob' },
];

/** Stands for whatever your app uses to sign people in. */
export function SignIn() {
  return (
    <main className="sign-in">
      <h1>Todo</h1>
      <p>Who are you? Open this page in a second window as somebody else, and share a list.</p>
      <ul>
        {SAMPLE_USERS.map(({ id, name }) => (
          <li key={id}>
            <a href={`?user=${id}`}>
              <Avatar name={name} />
              {name}
            </a>
          </li>
        ))}
      </ul>
    </main>
  );
}
