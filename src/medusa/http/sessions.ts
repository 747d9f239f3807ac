import type { MedusaPackages } from '../packages.ts';

/** Serialized sessions by their id, as the store has them. */
export type StoredSessions = Record<string, string>;

/**
 * Without a Redis, sessions are in the memory of the process, and a restart would log everybody out: an open
 * page of the admin would lose all that is typed into it to the login page. So each app hands them to the next.
 * (`MemoryStore` of the `express-session` that `framework/dist/http/express-loader.js` uses, 2.12.1 to 2.21.2)
 */
export class Sessions {
  /** Of all stores: one that gets the session of another never hears of its id. */
  readonly #stores: StoredSessions[] = [];
  #previous: StoredSessions = {};

  constructor(packages: MedusaPackages) {
    const { MemoryStore } = packages.requireFrom('@medusajs/framework', 'express-session') as {
      MemoryStore?: new () => { sessions: StoredSessions };
    };
    if (!MemoryStore) {
      throw packages.unexpected('express-session#MemoryStore');
    }
    const add = (sessions: StoredSessions): void => {
      this.#stores.push(Object.assign(sessions, this.#previous));
    };
    // The constructor sets the property, which comes here the first time.
    Object.defineProperty(MemoryStore.prototype, 'sessions', {
      configurable: true,
      set(this: object, value: StoredSessions) {
        add(value);
        Object.defineProperty(this, 'sessions', { value, writable: true, enumerable: true });
      },
    });
    new MemoryStore();
    if (this.#stores.pop() === undefined) {
      throw packages.unexpected('express-session#MemoryStore.sessions');
    }
  }

  /** To be called before the app has a store. */
  take(previous: StoredSessions): void {
    this.#previous = previous;
  }

  give(): StoredSessions {
    return Object.assign({}, ...this.#stores) as StoredSessions;
  }
}
