import type { FlagState } from '../../medusa/boot/flag-state.ts';
import type { PackageList } from '../../protocol/messages.ts';
import { LoaderHooks } from '../runner/loader-hooks.ts';
import { PackageTrace } from './package-trace.ts';

/** Notes what an app loads while it starts, so that a spare can have it loaded before the next start. */
export class BootRecord {
  readonly trace: PackageTrace = new PackageTrace();
  #hooks: LoaderHooks | undefined;
  #envBefore: NodeJS.ProcessEnv = {};
  #env: PackageList['env'] = {};
  #config: string[] = [];
  #packages: PackageList | null = null;

  /** The config is about to be evaluated. */
  begin(): void {
    this.#envBefore = { ...process.env };
    this.#hooks = new LoaderHooks();
    this.trace.start();
  }

  /** The config was evaluated. */
  endConfig(): void {
    this.#config = this.trace.files;
    this.#env = changesOf(this.#envBefore);
  }

  /** The app is loaded. @returns what was asked for */
  end(flags: FlagState): string[] {
    const { files } = this.trace;
    this.trace.stop();
    // Not next time: who hooks into Node's loading must do so before a package is there.
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

  get areLoaderHooksChanged(): boolean {
    return this.#hooks?.areChanged ?? false;
  }

  /** Null before the end, and if nothing may be loaded ahead of the config. */
  get packages(): PackageList | null {
    return this.#packages;
  }
}

function changesOf(before: NodeJS.ProcessEnv): Record<string, string | null> {
  const changes: Record<string, string | null> = {};
  for (const key of new Set([...Object.keys(before), ...Object.keys(process.env)])) {
    const value = process.env[key];
    if (value !== before[key]) {
      changes[key] = value ?? null;
    }
  }
  return changes;
}
