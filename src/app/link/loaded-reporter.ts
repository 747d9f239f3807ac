import type { AppToHost, LoadedReport } from '../../protocol/messages.ts';

/** Tells the host, several at a time, which files are loaded in ways that Vite's module graph does not show. */
export class LoadedReporter {
  readonly #send: (message: AppToHost) => void;
  readonly #seen = new Set<string>();
  #next: LoadedReport | undefined;

  constructor(send: (message: AppToHost) => void) {
    this.#send = send;
  }

  /** Nothing imports this file, and it is in use all the same. */
  entry(file: string): void {
    this.#once(`entry\0${file}`, ({ entries }) => entries.push(file));
  }

  edge(importer: string, id: string): void {
    this.#once(`edge\0${importer}\0${id}`, ({ edges }) => edges.push([importer, id]));
  }

  /** Node loads this file, which is outside of `node_modules`, and not the runner. */
  native(file: string): void {
    this.#once(`native\0${file}`, ({ natives }) => natives.push(file));
  }

  accepts(id: string, dependencies: string[]): void {
    this.#report().accepts.push([id, dependencies]);
  }

  /** To be called before a message that the host answers by a look at its graph. */
  flush(): void {
    if (this.#next) {
      this.#send({ type: 'loaded', loaded: this.#next });
      this.#next = undefined;
    }
  }

  #once(key: string, add: (report: LoadedReport) => void): void {
    if (!this.#seen.has(key)) {
      this.#seen.add(key);
      add(this.#report());
    }
  }

  #report(): LoadedReport {
    if (!this.#next) {
      this.#next = { entries: [], edges: [], natives: [], accepts: [] };
      setImmediate(() => this.flush());
    }
    return this.#next;
  }
}
