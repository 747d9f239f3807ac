import type { FlagState } from '../../medusa/boot/flag-state.ts';
import type { PackageList } from '../../protocol/messages.ts';
import { LoaderHooks } from '../runner/native/loader-hooks.ts';
import { PackageTrace } from './package-trace.ts';

/** The app, once Medusa has booted. */
export interface Booted {
  /** Files of packages that the project and Medusa's loaders have asked for. */
  packages: string[];
  /** Whether the project has hooked into the loading of packages. */
  areLoaderHooksChanged: boolean;
}

/** Notes which packages an app loads, from its config until it is ready, so that a spare can load them ahead. */
export class BootRecord {
  readonly trace: PackageTrace = new PackageTrace();
  #hooks: LoaderHooks | undefined;
  #envBefore: NodeJS.ProcessEnv = {};
  #env: PackageList['env'] = {};
  #config: string[] = [];
  #packages: PackageList | null = null;

  /** To be called before the config is evaluated. */
  begin(): void {
    this.#envBefore = { ...process.env };
    this.#hooks = new LoaderHooks();
    this.trace.start();
  }

  /** To be called after the config is evaluated. */
  endConfig(): void {
    this.#config = this.trace.files;
    this.#env = changesOf(this.#envBefore);
  }

  /** To be called after Medusa has booted. */
  end(flags: FlagState): Booted {
    const { files } = this.trace;
    const areLoaderHooksChanged = this.#hooks?.areChanged ?? false;
    this.trace.stop();
    // Code that hooks into Node's loading has to run before the packages that it wants to see.
    if (!areLoaderHooksChanged) {
      this.#packages = {
        config: this.#config,
        boot: files.slice(this.#config.length),
        env: this.#env,
        flags: flags.flags,
      };
    }
    return { packages: files, areLoaderHooksChanged };
  }

  /** Those that a spare may load before the config. Null before the end, and if there are none. */
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
