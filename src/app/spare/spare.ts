import { setImmediate as nextTurn } from 'node:timers/promises';
import type { FlagState } from '../../medusa/boot/flag-state.ts';
import type { SchemaAhead } from '../../medusa/speed/schema-ahead.ts';
import type { Activation, PackageList, ReloaderModule } from '../../protocol/messages.ts';
import { createDeferred } from '../../shared/deferred.ts';
import { collectGarbage } from './collect-garbage.ts';
import type { EnvironmentRecord } from './environment-record.ts';
import { holdOutput } from './hold-output.ts';
import { loadedPackageFiles, loadPackages } from './load-packages.ts';
import type { Pace } from './pace.ts';
import { PackageFiles } from './package-files.ts';
import { findUnasked } from './package-trace.ts';

/** A look at all files is good for this long: less than it takes to install anything. */
const CHECK_MS = 500;

export interface SpareOptions {
  root: string;
  environment: EnvironmentRecord;
  pace: Pace;
}

/** Medusa, loaded and hooked into, before it has a project. */
export interface UnbootedMedusa {
  readonly flags: FlagState;
  readonly schema: Pick<SchemaAhead, 'make'>;
  readDotEnv(): void;
  nameCoreFlows(): Promise<void>;
}

/** What the app has loaded, once it is there. */
export interface Booted {
  /** Packages that were asked for by the project, and by Medusa's loaders. */
  packages: string[];
  areLoaderHooksChanged: boolean;
}

/** A new process would come to something else than this spare, so one is needed. */
export class UnfitSpareError extends Error {
  override readonly name = 'UnfitSpareError';
}

/**
 * An app process that is made before it is needed. It does all that comes before the config, loads the packages that
 * the running app has, and waits. Then it looks for whatever could make it different from a process that starts now.
 */
export class Spare {
  readonly #root: string;
  readonly #environment: EnvironmentRecord;
  readonly #pace: Pace;
  readonly #files = new PackageFiles();
  readonly #releaseOutput: () => void = holdOutput();
  readonly #listed = createDeferred<PackageList | null>();
  readonly #activated = createDeferred<Activation>();
  #isActivated = false;
  /** The last look at the files: one that has changed, and when that was, by `performance.now()`. */
  #check: { changed: string | undefined; at: number } | undefined;
  /** Packages that were loaded ahead of the config. */
  #preloaded: string[] = [];

  constructor({ root, environment, pace }: SpareOptions) {
    this.#root = root;
    this.#environment = environment;
    this.#pace = pace;
  }

  get isActivated(): boolean {
    return this.#isActivated;
  }

  /** The host says what to load; null if nothing but Medusa. */
  list(packages: PackageList | null): void {
    this.#listed.resolve(packages);
  }

  /** The host will activate it in a moment: it looks at the files now, which takes a while. */
  anticipate(): void {
    this.#check = { changed: this.#files.findChanged(), at: performance.now() };
  }

  /** The host needs the next app. */
  activate(activation: Activation): void {
    this.#isActivated = true;
    this.#activated.resolve(activation);
  }

  /** Whatever this reads of the environment will be read again. */
  unnoted(run: () => void): void {
    this.#environment.end();
    run();
    this.#environment.begin('medusa');
  }

  /** To be called before a file of a package is loaded. */
  note(file: string): void {
    if (!this.#isActivated) {
      this.#pace.giveWay();
      this.#files.note(file);
    }
  }

  /** @throws UnfitSpareError if a package has asked for a file of the project before there is an app */
  assertActivated(file: string): void {
    if (!this.#isActivated) {
      throw new UnfitSpareError(`a package asked for ${file}`);
    }
  }

  /**
   * Loads the packages that the host lists, until they are loaded or the next app is needed.
   * @returns how many files that were
   * @throws what one of them throws
   */
  async preload(medusa: UnbootedMedusa): Promise<number> {
    this.#environment.end();
    const packages = await this.#listed.promise;
    if (packages) {
      const before = new Set(loadedPackageFiles());
      await this.#load(packages, medusa.flags);
      this.#preloaded = loadedPackageFiles().filter((file) => !before.has(file));
      await this.#warmUp(packages, medusa);
      await medusa.nameCoreFlows();
    }
    return this.#preloaded.length;
  }

  /**
   * Waits until the next app is needed, and becomes what a process is that has started now and is about to evaluate
   * the config. @throws UnfitSpareError
   */
  async becomeApp(medusa: Pick<UnbootedMedusa, 'readDotEnv'>): Promise<ReloaderModule[]> {
    const environment = this.#environment;
    const { env, reloaders } = await this.#activated.promise;
    environment.retire();
    environment.replace(env);
    medusa.readDotEnv();
    assertSame('variable', environment.findDifference('medusa'));
    assertSame('variable', environment.findDifference('config'));
    assertSame('file', this.#findChangedFile());
    environment.applyWrites();
    this.#releaseOutput();
    return reloaders;
  }

  /** To be called when the config is evaluated. @throws UnfitSpareError */
  assertConfigured(): void {
    assertSame('variable', this.#environment.findDifference('config'));
  }

  /** To be called when the app is loaded. @throws UnfitSpareError */
  assertBooted({ packages, areLoaderHooksChanged }: Booted, flags: FlagState): void {
    if (this.#preloaded.length > 0 && areLoaderHooksChanged) {
      throw new UnfitSpareError('the project hooks into the loading of packages');
    }
    assertSame('variable', this.#environment.findDifference('boot'));
    assertSame('feature flag', flags.findDifference());
    const [unasked] = findUnasked(this.#preloaded, packages);
    if (unasked !== undefined) {
      throw new UnfitSpareError(`${unasked} is not part of the app any more`);
    }
  }

  /** In the environment, and with the feature flags, that the running app had when it loaded them. */
  async #load({ config, boot, env, flags }: PackageList, state: FlagState): Promise<void> {
    const environment = this.#environment;
    const options = { root: this.#root, isOver: () => this.#isActivated };
    environment.begin('config');
    await loadPackages(config, options);
    environment.begin('boot');
    environment.assign(env);
    const forget = state.assume(flags);
    await loadPackages(boot, options);
    forget();
    environment.end();
  }

  /** Does what else takes time in a boot, if there is time. */
  async #warmUp({ schema }: PackageList, medusa: UnbootedMedusa): Promise<void> {
    if (!this.#isActivated && schema !== undefined) {
      medusa.schema.make(schema);
      await nextTurn();
    }
    if (!this.#isActivated) {
      // Sources that are compiled are no longer needed; V8 would throw them away while the app boots.
      collectGarbage();
    }
  }

  #findChangedFile(): string | undefined {
    const check = this.#check;
    const isRecent = check && performance.now() - check.at < CHECK_MS;
    return isRecent ? check.changed : this.#files.findChanged();
  }
}

/** @throws UnfitSpareError if there is one that differs */
function assertSame(kind: string, different: string | undefined): void {
  if (different !== undefined) {
    throw new UnfitSpareError(`the ${kind} ${different} has changed`);
  }
}
