import { createRequire, Module } from 'node:module';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { FlagState } from '../../medusa/boot/flag-state.ts';
import type { PackageList } from '../../protocol/messages.ts';
import { collectGarbage } from './collect-garbage.ts';
import type { EnvironmentRecord } from './environment-record.ts';
import type { Pace } from './pace.ts';
import { PackageFiles } from './package-files.ts';
import { findUnasked, isInPackage } from './package-trace.ts';
import { holdOutput } from './quiet-output.ts';

/** After this long it looks whether it is needed. */
const SLICE_MS = 20;
/** What was found out about files is good for this long: less than it takes to install anything. */
const CHECK_MS = 500;

export interface SpareOptions {
  root: string;
  environment: EnvironmentRecord;
  pace: Pace;
  /** Makes the GraphQL schema of an app before there is one. */
  makeSchema(text: string): void;
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
  readonly #files = new PackageFiles();
  readonly #release: () => void = holdOutput();
  readonly #activated: Promise<Record<string, string>>;
  #resolveActivated: (env: Record<string, string>) => void = () => {};
  #isActivated = false;
  #flags: FlagState | undefined;
  /** What was found out about the files, and when; `performance.now()`. */
  #checked: { changed: string | undefined; at: number } | undefined;
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
      this.#options.pace.giveWay();
      this.#files.note(file);
    }
  }

  /** @throws UnfitError A spare has no business with the project. */
  assertActivated(file: string): void {
    if (!this.#isActivated) {
      throw new UnfitError(`a package asked for ${file}`);
    }
  }

  /** It will be activated in a moment: what takes a while is done by then. */
  anticipate(): void {
    this.#checked = { changed: this.#files.findChanged(), at: performance.now() };
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
    if (!this.#isActivated && packages.schema !== undefined) {
      this.#options.makeSchema(packages.schema);
      await nextTurn();
    }
    if (!this.#isActivated) {
      // Else V8 does it while the app boots, and somebody waits: sources that were compiled are no longer needed.
      collectGarbage();
    }
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
    assertSame('file', this.#findChangedFile());
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

  #findChangedFile(): string | undefined {
    const isKnown = this.#checked && performance.now() - this.#checked.at < CHECK_MS;
    return isKnown ? this.#checked?.changed : this.#files.findChanged();
  }

  async #load(files: string[]): Promise<void> {
    const require = createRequire(`${this.#options.root}/package.json`);
    let startedAt = performance.now();
    for (const file of files) {
      if (this.#isActivated) {
        return;
      }
      require(file);
      if (performance.now() - startedAt > SLICE_MS) {
        await nextTurn();
        startedAt = performance.now();
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
