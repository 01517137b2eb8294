import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { SluiceProvider } from '@sluice/client-react';
import { backendConnector, openDatabase } from '@sluice/client-web';
import { App } from './app.tsx';
import { schema } from './schema.ts';
import { SignIn } from './sign-in.tsx';
import './style.css';

const root = createRoot(document.querySelector('#app')!);
const userId = new URLSearchParams(location.search).get('user');

if (userId === null) {
  root.render(<SignIn />);
} else {
  // Each user has a database of their own on this device.
  const database = await openDatabase({ name: `todo-${userId}`, schema });
  const connector = backendConnector({
    backendUrl: location.origin,
    tokenParameters: { user_id: userId },
  });
  void database.connect(connector);
  root.render(
    <StrictMode>
      <SluiceProvider database={database}>
        <App userId={userId} connector={connector} />
      </SluiceProvider>
    </StrictMode>,
  );
}
