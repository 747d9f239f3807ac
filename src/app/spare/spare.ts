import { setImmediate as nextTurn } from 'node:timers/promises';
import type { FlagState } from '../../medusa/boot/flag-state.ts';
import type { SchemaAhead } from '../../medusa/speed/schema-ahead.ts';
import type { Activation, PackageList, ReloaderModule } from '../../protocol/messages.ts';
import { createDeferred } from '../../shared/deferred.ts';
import type { Booted } from './boot-record.ts';
import { collectGarbage } from './collect-garbage.ts';
import type { EnvironmentRecord } from './environment-record.ts';
import { holdOutput } from './hold-output.ts';
import { loadedPackageFiles, loadPackages } from './load-packages.ts';
import type { Pace } from './pace.ts';
import { PackageFiles } from './package-files.ts';
import { findUnasked } from './package-trace.ts';

/** The result of a look at all files holds for this long, which is less than any installation takes. */
const CHECK_MS = 500;

export interface SpareOptions {
  root: string;
  environment: EnvironmentRecord;
  pace: Pace;
}

/** Medusa with our hooks, before it has a project. */
export interface UnbootedMedusa {
  readonly flags: FlagState;
  readonly schema: Pick<SchemaAhead, 'make'>;
  readDotEnv(): void;
  nameCoreFlows(): Promise<void>;
}

/** This spare differs from a process that starts now, so the host starts a new one. */
export class UnfitSpareError extends Error {
  override readonly name = 'UnfitSpareError';
}

/**
 * An app process that is forked before it is needed. It does all that comes before the config, loads the packages that
 * the running app has, and waits. Once it is needed, it looks for anything that sets it apart from a new process.
 */
export class Spare {
  readonly #options: SpareOptions;
  readonly #files = new PackageFiles();
  readonly #releaseOutput: () => void = holdOutput();
  readonly #listed = createDeferred<PackageList | null>();
  readonly #activated = createDeferred<Activation>();
  #isActivated = false;
  /** The last look at the files, by `performance.now()`, and one that had changed by then. */
  #check: { changed: string | undefined; at: number } | undefined;
  #preloaded: string[] = [];

  constructor(options: SpareOptions) {
    this.#options = options;
  }

  get isActivated(): boolean {
    return this.#isActivated;
  }

  /** The host names the packages to load; null if there is nothing to load but Medusa. */
  list(packages: PackageList | null): void {
    this.#listed.resolve(packages);
  }

  /** The host is about to activate this spare, which looks at its files now because that takes a while. */
  anticipate(): void {
    this.#check = { changed: this.#files.findChanged(), at: performance.now() };
  }

  /** The host needs the next app. */
  activate(activation: Activation): void {
    this.#isActivated = true;
    this.#activated.resolve(activation);
  }

  /** Runs a function whose reads of the environment do not count, because it runs again after the activation. */
  unnoted(run: () => void): void {
    const { environment } = this.#options;
    environment.end();
    run();
    environment.begin('medusa');
  }

  /** To be called before a file of a package is loaded. */
  note(file: string): void {
    if (!this.#isActivated) {
      this.#options.pace.giveWay();
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
   * Loads the packages that the host lists, until all are loaded or the next app is needed.
   * @returns the number of files
   * @throws the error of a package
   */
  async preload(medusa: UnbootedMedusa): Promise<number> {
    this.#options.environment.end();
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
   * Waits until the next app is needed. Then becomes like a new process that is about to evaluate the config.
   * @throws UnfitSpareError
   */
  async becomeApp(medusa: Pick<UnbootedMedusa, 'readDotEnv'>): Promise<ReloaderModule[]> {
    const { environment } = this.#options;
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

  /** To be called after the config is evaluated. @throws UnfitSpareError */
  assertConfigured(): void {
    assertSame('variable', this.#options.environment.findDifference('config'));
  }

  /** To be called after Medusa has booted. @throws UnfitSpareError */
  assertBooted({ packages, areLoaderHooksChanged }: Booted, flags: FlagState): void {
    if (this.#preloaded.length > 0 && areLoaderHooksChanged) {
      throw new UnfitSpareError('the project hooks into the loading of packages');
    }
    assertSame('variable', this.#options.environment.findDifference('boot'));
    assertSame('feature flag', flags.findDifference());
    const [unasked] = findUnasked(this.#preloaded, packages);
    if (unasked !== undefined) {
      throw new UnfitSpareError(`${unasked} is not part of the app any more`);
    }
  }

  /** Loads the packages with the environment and the feature flags that the running app had when it loaded them. */
  async #load({ config, boot, env, flags }: PackageList, state: FlagState): Promise<void> {
    const { root, environment } = this.#options;
    const options = { root, isOver: () => this.#isActivated };
    environment.begin('config');
    await loadPackages(config, options);
    environment.begin('boot');
    environment.assign(env);
    const forget = state.assume(flags);
    await loadPackages(boot, options);
    forget();
    environment.end();
  }

  /** Does other slow parts of a boot, as long as the next app is not needed. */
  async #warmUp({ schema }: PackageList, medusa: UnbootedMedusa): Promise<void> {
    if (!this.#isActivated && schema !== undefined) {
      medusa.schema.make(schema);
      await nextTurn();
    }
    if (!this.#isActivated) {
      // The sources of what is compiled are garbage by now; else V8 collects them while the app boots.
      collectGarbage();
    }
  }

  #findChangedFile(): string | undefined {
    const check = this.#check;
    const isRecent = check && performance.now() - check.at < CHECK_MS;
    return isRecent ? check.changed : this.#files.findChanged();
  }
}

/** @throws UnfitSpareError if one differs */
function assertSame(kind: string, different: string | undefined): void {
  if (different !== undefined) {
    throw new UnfitSpareError(`the ${kind} ${different} has changed`);
  }
}
