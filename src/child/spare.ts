import { createRequire, Module } from 'node:module';
import { setTimeout as delay } from 'node:timers/promises';
import type { FlagState } from '../medusa/flag-state.ts';
import type { PackageList } from '../protocol/messages.ts';
import type { EnvironmentRecord } from './environment-record.ts';
import { FileStates } from './file-states.ts';
import { findUnasked, isInPackage } from './package-trace.ts';
import { holdOutput } from './quiet-output.ts';

/** Works this long at a time, and then rests as long: the processor is for the app and its user. */
const SLICE_MS = 20;

export interface SpareOptions {
  root: string;
  environment: EnvironmentRecord;
  /** Reads `.env` into the environment. */
  loadDotEnv(): void;
}

/** The process would not be what a new one would be. */
export class UnfitError extends Error {
  override readonly name = 'UnfitError';
}

/**
 * A child that is made before it is needed. It has done all that comes before the config, and has loaded
 * the packages that the running app has; then it waits. Whatever could make it different from a process that
 * starts when it is needed is looked for, and makes it unfit.
 */
export class Spare {
  readonly #options: SpareOptions;
  readonly #files = new FileStates();
  readonly #release: () => void = holdOutput();
  readonly #activated: Promise<Record<string, string>>;
  #resolveActivated: (env: Record<string, string>) => void = () => {};
  #isActivated = false;
  #flags: FlagState | undefined;
  /** Files that were loaded ahead of the config. */
  #preloaded: string[] = [];

  constructor(options: SpareOptions) {
    this.#options = options;
    this.#activated = new Promise((resolve) => {
      this.#resolveActivated = resolve;
    });
  }

  get isActivated(): boolean {
    return this.#isActivated;
  }

  /** How many files are loaded that a new process would have loaded later, if at all. */
  get preloadedFiles(): number {
    return this.#preloaded.length;
  }

  /** A file is about to be loaded. */
  note(file: string): void {
    if (!this.#isActivated) {
      this.#files.note(file);
    }
  }

  /** @throws UnfitError A spare has no business with the project. */
  assertActivated(file: string): void {
    if (!this.#isActivated) {
      throw new UnfitError(`a package asked for ${file}`);
    }
  }

  activate(env: Record<string, string>): void {
    this.#isActivated = true;
    this.#resolveActivated(env);
  }

  /** Loads the packages, as far as there is time. @throws what one of them throws */
  async preload(packages: PackageList, flags: FlagState): Promise<void> {
    const { environment } = this.#options;
    const before = new Set(loadedFiles());
    this.#flags = flags;
    environment.begin('config');
    await this.#load(packages.config);
    environment.begin('boot');
    environment.assign(packages.env);
    const forget = flags.assume(packages.flags);
    await this.#load(packages.boot);
    forget();
    environment.begin(undefined);
    this.#preloaded = loadedFiles().filter((file) => !before.has(file));
  }

  /** Becomes what a process would be that starts now, up to the config. @throws UnfitError */
  async becomeApp(): Promise<void> {
    const { environment, loadDotEnv } = this.#options;
    const env = await this.#activated;
    environment.retire();
    environment.replace(env);
    loadDotEnv();
    assertSame('variable', environment.findDifference('medusa'));
    assertSame('variable', environment.findDifference('config'));
    assertSame('file', this.#files.findChanged());
    environment.applyWrites();
    this.#release();
  }

  /** To be asked when the config was evaluated. @throws UnfitError */
  assertConfigured(): void {
    assertSame('variable', this.#options.environment.findDifference('config'));
  }

  /** To be asked when the app is loaded. @throws UnfitError */
  assertBooted(asked: string[]): void {
    assertSame('variable', this.#options.environment.findDifference('boot'));
    assertSame('feature flag', this.#flags?.findDifference());
    const [unasked] = findUnasked(this.#preloaded, asked);
    if (unasked !== undefined) {
      throw new UnfitError(`${unasked} is not part of the app any more`);
    }
  }

  async #load(files: string[]): Promise<void> {
    const require = createRequire(`${this.#options.root}/package.json`);
    let worked = 0;
    for (const file of files) {
      if (this.#isActivated) {
        return;
      }
      const startedAt = performance.now();
      require(file);
      worked += performance.now() - startedAt;
      if (worked > SLICE_MS) {
        await Promise.race([delay(worked), this.#activated]);
        worked = 0;
      }
    }
  }
}

function loadedFiles(): string[] {
  return Object.keys((Module as unknown as { _cache: object })._cache).filter(isInPackage);
}

function assertSame(kind: string, name: string | undefined): void {
  if (name !== undefined) {
    throw new UnfitError(`the ${kind} ${name} has changed`);
  }
}
