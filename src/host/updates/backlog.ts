import type { Trial } from '../../protocol/messages.ts';
import type { Change } from '../../shared/change.ts';
import { mergeChanges } from './batch.ts';

/** Changes that the app lacks because an update failed. The next update includes them. */
export class Backlog {
  readonly #changes = new Map<string, Change>();
  /** The module that failed in the latest update, if any: a restart must not take the app down for it. */
  broken: Trial | undefined;

  get isEmpty(): boolean {
    return this.#changes.size === 0;
  }

  /** The backlog together with these changes. */
  with(changes: Change[]): Change[] {
    return mergeChanges([...this.#changes.values()], changes);
  }

  add(changes: Change[]): void {
    for (const change of changes) {
      this.#changes.set(change.file, change);
    }
  }

  /** The app is up to date. */
  clear(): void {
    this.#changes.clear();
    this.broken = undefined;
  }
}
