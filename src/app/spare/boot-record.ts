import type { FlagState } from '../../medusa/boot/flag-state.ts';
import type { PackageList } from '../../protocol/messages.ts';
import { LoaderHooks } from '../runner/native/loader-hooks.ts';
import { PackageTrace } from './package-trace.ts';

/** Notes which packages an app loads, from its config until it is ready, so that a spare can load them ahead. */
export class BootRecord {
  readonly trace: PackageTrace = new PackageTrace();
  #hooks: LoaderHooks | undefined;
  #envBefore: NodeJS.ProcessEnv = {};
  /** Variables that the config has set, or removed. */
  #env: PackageList['env'] = {};
  /** Packages that the config has asked for. */
  #config: string[] = [];
  #packages: PackageList | null = null;

  /** To be called right before the config is evaluated. */
  begin(): void {
    this.#envBefore = { ...process.env };
    this.#hooks = new LoaderHooks();
    this.trace.start();
  }

  /** To be called when the config is evaluated. */
  endConfig(): void {
    this.#config = this.trace.files;
    this.#env = changesOf(this.#envBefore);
  }

  /** To be called when the app is loaded. @returns the packages that were asked for */
  end(flags: FlagState): string[] {
    const { files } = this.trace;
    this.trace.stop();
    // Code that hooks into Node's loading has to run before the packages that it wants to see.
    if (!this.areLoaderHooksChanged) {
      this.#packages = {
        config: this.#config,
        boot: files.slice(this.#config.length),
        env: this.#env,
        flags: flags.flags,
      };
    }
    return files;
  }

  /** Whether the project has hooked into the loading of packages. */
  get areLoaderHooksChanged(): boolean {
    return this.#hooks?.areChanged ?? false;
  }

  /** What a spare may load ahead of the config. Null before the end, and if that is nothing. */
  get packages(): PackageList | null {
    return this.#packages;
  }
}

function changesOf(before: NodeJS.ProcessEnv): PackageList['env'] {
  const changes: PackageList['env'] = {};
  for (const key of new Set([...Object.keys(before), ...Object.keys(process.env)])) {
    const value = process.env[key];
    if (value !== before[key]) {
      changes[key] = value ?? null;
    }
  }
  return changes;
}
