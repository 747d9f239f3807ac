import type { AppToHost, LoadedReport } from '../../protocol/messages.ts';

/** Tells the host what was loaded in ways that Vite's module graph does not show, in batches. */
export class LoadedReporter {
  readonly #send: (message: AppToHost) => void;
  readonly #seen = new Set<string>();
  #next: LoadedReport | undefined;

  constructor(send: (message: AppToHost) => void) {
    this.#send = send;
  }

  entry(file: string): void {
    if (this.#isNew(`entry\0${file}`)) {
      this.#batch().entries.push(file);
    }
  }

  edge(importer: string, id: string): void {
    if (this.#isNew(`edge\0${importer}\0${id}`)) {
      this.#batch().edges.push([importer, id]);
    }
  }

  native(file: string): void {
    if (this.#isNew(`native\0${file}`)) {
      this.#batch().natives.push(file);
    }
  }

  accepts(id: string, dependencies: string[]): void {
    this.#batch().accepts.push([id, dependencies]);
  }

  /** Before a message that the host answers by looking at its graph. */
  flush(): void {
    if (this.#next) {
      this.#send({ type: 'loaded', loaded: this.#next });
      this.#next = undefined;
    }
  }

  #isNew(key: string): boolean {
    const isNew = !this.#seen.has(key);
    this.#seen.add(key);
    return isNew;
  }

  #batch(): LoadedReport {
    if (!this.#next) {
      this.#next = { entries: [], edges: [], natives: [], accepts: [] };
      setImmediate(() => this.flush());
    }
    return this.#next;
  }
}
