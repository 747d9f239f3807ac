/** When a variable was read: before any code of the project, while the config runs, or after it. */
export type ReadPhase = 'medusa' | 'config' | 'boot';

/** The variables that were read in one phase. */
interface Reads {
  /** By name; undefined for a variable that was not set. */
  values: Map<string, string | undefined>;
  /** All names of that moment, if a package has listed them. */
  names: ReadonlySet<string> | undefined;
  /** The names that begin with `DEBUG_`, if the package `debug` has listed them. */
  debugNames: ReadonlySet<string> | undefined;
}

/**
 * Packages read `process.env` while they are loaded. A spare loads them before it knows the environment of the next
 * app, so it notes each variable that is read, and compares the values when it is activated.
 */
export class EnvironmentRecord {
  readonly #env: NodeJS.ProcessEnv;
  readonly #reads: Record<ReadPhase, Reads> = {
    medusa: createReads(),
    config: createReads(),
    boot: createReads(),
  };
  /** By name: variables that packages have set, or removed (undefined). */
  readonly #writes = new Map<string, string | undefined>();
  #areWritesApplied = false;
  /** Undefined while nothing is noted. */
  #phase: ReadPhase | undefined;

  /** @param env the real one; writes go through to it */
  constructor(env: NodeJS.ProcessEnv) {
    this.#env = env;
  }

  /** Replaces `process.env` by the view, and begins the first phase. */
  install(): void {
    process.env = this.createView();
    this.#phase = 'medusa';
  }

  /** @returns the environment, for code whose reads and writes are noted */
  createView(): NodeJS.ProcessEnv {
    return new Proxy(this.#env, {
      get: (env, key) => this.#note(key, Reflect.get(env, key)),
      has: (env, key) => {
        this.#note(key, Reflect.get(env, key));
        return Reflect.has(env, key);
      },
      ownKeys: (env) => this.#noteNames(Reflect.ownKeys(env)),
      set: (env, key, value) => this.#noteWrite(key, Reflect.set(env, key, value)),
      defineProperty: (env, key, descriptor) =>
        this.#noteWrite(key, Reflect.defineProperty(env, key, descriptor)),
      deleteProperty: (env, key) => this.#noteWrite(key, Reflect.deleteProperty(env, key)),
    });
  }

  /** From now on, each read is noted for this phase. */
  begin(phase: ReadPhase): void {
    this.#phase = phase;
  }

  /** From now on, nothing is noted. */
  end(): void {
    this.#phase = undefined;
  }

  /** Makes `process.env` the real one again; code that has kept the view gets the same from it. */
  retire(): void {
    this.end();
    process.env = this.#env;
  }

  /** Sets variables without a note; null removes one. */
  assign(values: Record<string, string | null>): void {
    for (const [key, value] of Object.entries(values)) {
      if (value === null) {
        delete this.#env[key];
      } else {
        this.#env[key] = value;
      }
    }
  }

  /** Replaces all variables without a note. */
  replace(env: NodeJS.ProcessEnv): void {
    for (const key of Object.keys(this.#env)) {
      if (!(key in env)) {
        delete this.#env[key];
      }
    }
    Object.assign(this.#env, env);
  }

  /** @returns a variable that was read in this phase, and has another value now */
  findDifference(phase: ReadPhase): string | undefined {
    const { values, names, debugNames } = this.#reads[phase];
    for (const [key, read] of values) {
      const value = this.#areWritesApplied && this.#writes.has(key) ? this.#writes.get(key) : read;
      if (this.#env[key] !== value) {
        return key;
      }
    }
    return (
      (names && findOdd(names, this.#names())) ??
      (debugNames && findOdd(debugNames, this.#names().filter(isDebugName)))
    );
  }

  /** Sets the variables that packages have set while they were loaded, in the new environment too. */
  applyWrites(): void {
    this.#areWritesApplied = true;
    for (const [key, value] of this.#writes) {
      this.assign({ [key]: value ?? null });
    }
  }

  #note(key: string | symbol, value: unknown): unknown {
    if (this.#phase !== undefined && typeof key === 'string' && !this.#writes.has(key)) {
      const { values } = this.#reads[this.#phase];
      if (!values.has(key)) {
        values.set(key, typeof value === 'string' ? value : undefined);
      }
    }
    return value;
  }

  #noteNames(keys: (string | symbol)[]): (string | symbol)[] {
    if (this.#phase === undefined) {
      return keys;
    }
    const reads = this.#reads[this.#phase];
    const names = keys.filter(
      (key): key is string => typeof key === 'string' && !this.#writes.has(key),
    );
    // Nearly every app has the package `debug` (vite-node has `obug`), which looks for its own variables only.
    if (isCalledByDebug()) {
      reads.debugNames ??= new Set(names.filter(isDebugName));
    } else {
      reads.names ??= new Set(names);
    }
    return keys;
  }

  #noteWrite(key: string | symbol, isWritten: boolean): boolean {
    if (this.#phase !== undefined && typeof key === 'string') {
      this.#writes.set(key, this.#env[key]);
    }
    return isWritten;
  }

  #names(): string[] {
    return Object.keys(this.#env).filter((key) => !this.#writes.has(key));
  }
}

function createReads(): Reads {
  return { values: new Map(), names: undefined, debugNames: undefined };
}

function findOdd(before: ReadonlySet<string>, names: string[]): string | undefined {
  const now = new Set(names);
  return names.find((name) => !before.has(name)) ?? [...before].find((name) => !now.has(name));
}

function isDebugName(name: string): boolean {
  return /^debug_/i.test(name);
}

function isCalledByDebug(): boolean {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 6;
  const { stack = '' } = new Error('who asks');
  Error.stackTraceLimit = stackTraceLimit;
  return /[\\/]node_modules[\\/](?:debug|obug)[\\/]/.test(stack);
}
