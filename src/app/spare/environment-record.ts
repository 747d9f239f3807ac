/** When a variable was read: before any code of the project, while the config runs, or after it. */
export type ReadPhase = 'medusa' | 'config' | 'boot';

/** What was read in one phase. */
interface Reads {
  /** By name; undefined for a variable that was not set. */
  values: Map<string, string | undefined>;
  /** All names that there were, if somebody has asked for all of them. */
  names: ReadonlySet<string> | undefined;
  /** The names that begin with `DEBUG_`, if the package `debug` has asked for them. */
  debugNames: ReadonlySet<string> | undefined;
}

/**
 * Packages read `process.env` while they are loaded. A spare loads them in an environment that may not be the one
 * it is used in, so it notes each variable that was read, and compares when it is activated.
 */
export class EnvironmentRecord {
  readonly #env: NodeJS.ProcessEnv;
  readonly #reads: Record<ReadPhase, Reads> = {
    medusa: createReads(),
    config: createReads(),
    boot: createReads(),
  };
  /** Variables that packages have set, or removed (undefined). */
  readonly #writes = new Map<string, string | undefined>();
  #areWritesApplied = false;
  /** Undefined while nothing is noted. */
  #phase: ReadPhase | undefined;

  /** @param env the real one; writes go through to it */
  constructor(env: NodeJS.ProcessEnv) {
    this.#env = env;
  }

  /** Puts the view in the place of `process.env`, and begins with the first phase. */
  install(): void {
    process.env = this.createView();
    this.#phase = 'medusa';
  }

  /** The environment, for code whose reads and writes are to be noted. */
  createView(): NodeJS.ProcessEnv {
    return new Proxy(this.#env, {
      get: (env, key) => this.#note(key, Reflect.get(env, key)),
      has: (env, key) => {
        this.#note(key, Reflect.get(env, key));
        return Reflect.has(env, key);
      },
      ownKeys: (env) => {
        const names = Reflect.ownKeys(env);
        this.#noteNames(names);
        return names;
      },
      set: (env, key, value) => {
        const isSet = Reflect.set(env, key, value);
        this.#noteWrite(key);
        return isSet;
      },
      defineProperty: (env, key, descriptor) => {
        const isSet = Reflect.defineProperty(env, key, descriptor);
        this.#noteWrite(key);
        return isSet;
      },
      deleteProperty: (env, key) => {
        const isDeleted = Reflect.deleteProperty(env, key);
        this.#noteWrite(key);
        return isDeleted;
      },
    });
  }

  /** From now on, what is read counts as read in this phase. */
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

  /** Changes the environment without noting it; null removes. */
  assign(values: Record<string, string | null>): void {
    for (const [key, value] of Object.entries(values)) {
      if (value === null) {
        delete this.#env[key];
      } else {
        this.#env[key] = value;
      }
    }
  }

  /** Replaces all variables, without noting it. */
  replace(env: NodeJS.ProcessEnv): void {
    for (const key of Object.keys(this.#env)) {
      if (!(key in env)) {
        delete this.#env[key];
      }
    }
    Object.assign(this.#env, env);
  }

  /** @returns a variable that was read in this phase, and would now be read differently */
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

  /** Sets in the new environment, too, what packages have set while they were loaded. */
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

  #noteNames(keys: (string | symbol)[]): void {
    if (this.#phase === undefined) {
      return;
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
  }

  #noteWrite(key: string | symbol): void {
    if (this.#phase !== undefined && typeof key === 'string') {
      this.#writes.set(key, this.#env[key]);
    }
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
