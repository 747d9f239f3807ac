/** Files that are in use, each in the state in which it was noted first, to find out whether it still is. */
export class FileRecord {
  readonly #read: (path: string) => string | null;
  readonly #states = new Map<string, string | null>();

  /** @param read tells two states apart: `contentOf`, or `stampOf` */
  constructor(read: (path: string) => string | null) {
    this.#read = read;
  }

  has(path: string): boolean {
    return this.#states.has(path);
  }

  /** To be called before the file is used: what is written in between counts as a change then. */
  note(path: string): void {
    if (!this.#states.has(path)) {
      this.#states.set(path, this.#read(path));
    }
  }

  /** @returns one that is not what it was */
  findChanged(): string | undefined {
    for (const [path, state] of this.#states) {
      if (this.#read(path) !== state) {
        return path;
      }
    }
    return undefined;
  }
}
