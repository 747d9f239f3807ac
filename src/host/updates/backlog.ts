import type { Trial } from '../../protocol/messages.ts';
import type { Change } from '../../shared/change.ts';
import { mergeChanges } from './batch.ts';

/** What is on disk but not in the app, because an update failed. It is part of the next update. */
export class Backlog {
  readonly #changes = new Map<string, Change>();
  /** The module that kept the latest change out, if one did: a restart must not take the app down for it. */
  broken: Trial | undefined;

  get isEmpty(): boolean {
    return this.#changes.size === 0;
  }

  /** All that the app is behind by, once these changes are on disk as well. */
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
