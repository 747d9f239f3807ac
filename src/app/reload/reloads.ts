import type { ReloadOutcome, ReloadPlan } from '../../protocol/messages.ts';
import { serializeError } from '../../shared/serialized-error.ts';
import type { AuthorsReloader } from '../reloaders/authors-reloader.ts';
import type { ReloadPass } from './reload-pass.ts';

/** Brings plans of the host to the running app, one after the other. */
export class Reloads {
  readonly #pass: Pick<ReloadPass, 'run'>;
  readonly #authors: readonly Pick<AuthorsReloader, 'start'>[];

  /** @param authors The reloaders that users and plugin authors wrote. */
  constructor(pass: Pick<ReloadPass, 'run'>, authors: readonly Pick<AuthorsReloader, 'start'>[]) {
    this.#pass = pass;
    this.#authors = authors;
  }

  /** Call this once the app is loaded. */
  async start(): Promise<void> {
    for (const reloader of this.#authors) {
      await reloader.start();
    }
  }

  async run(plan: ReloadPlan): Promise<ReloadOutcome> {
    try {
      return await this.#pass.run(plan);
    } catch (error) {
      const { message } = serializeError(error);
      return { type: 'restart-needed', reason: { type: 'reload-failed', message } };
    }
  }
}
