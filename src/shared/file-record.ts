/** Remembers the state of files, to find one that has changed since it was first noted. */
export class FileRecord {
  readonly #read: (path: string) => string | null;
  readonly #states = new Map<string, string | null>();

  /** @param read gives the state of a file: `contentOf` or `stampOf` */
  constructor(read: (path: string) => string | null) {
    this.#read = read;
  }

  has(path: string): boolean {
    return this.#states.has(path);
  }

  /** To be called before the file is used, so that a change in between counts. */
  note(path: string): void {
    if (!this.#states.has(path)) {
      this.#states.set(path, this.#read(path));
    }
  }

  /** @returns a file whose state differs from the noted one */
  findChanged(): string | undefined {
    for (const [path, state] of this.#states) {
      if (this.#read(path) !== state) {
        return path;
      }
    }
    return undefined;
  }
}
