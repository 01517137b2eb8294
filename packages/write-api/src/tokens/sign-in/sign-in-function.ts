import { SignInRefusal, userOfAnswer, type SignIn, type SignInRequest } from './sign-in.ts';

/**
 * The app's own function decides: it gives `{user_id, claims?}`, or null for nobody. What it throws
 * goes on as it is, so whoever runs it turns failures and time limits into an `AppError`.
 */
export type SignInFunction = (request: SignInRequest) => Promise<unknown>;

export function functionSignIn(call: SignInFunction, name: string): SignIn {
  return async (request) => {
    const answer = await call(request);
    if (answer === null || answer === undefined) {
      throw new SignInRefusal(`The function ${name} refused the sign-in`, { wasTried: true });
    }
    return userOfAnswer(answer, `the function ${name}`);
  };
}
