/** Thrown through a synchronous evaluation that met something which has to be awaited first. */
export class NeedsAwait extends Error {
  /** Id of the module, or name of the package, that is to be awaited. */
  readonly what: string;
  readonly settle: () => Promise<void>;

  constructor(what: string, settle: () => Promise<void>) {
    super(`\`${what}\` has a top-level await`);
    this.what = what;
    this.settle = settle;
  }
}

/** For code that cannot wait; the code is that of Node. */
export function asRequireError(error: unknown, specifier: string): unknown {
  return error instanceof NeedsAwait
    ? Object.assign(
        new Error(
          `\`${specifier}\` cannot be loaded with require(): \`${error.what}\` uses top-level await. Use import() instead.`,
        ),
        { code: 'ERR_REQUIRE_ASYNC_MODULE' },
      )
    : error;
}
