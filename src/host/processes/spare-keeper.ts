import { freemem, totalmem } from 'node:os';
import type { Activation, PackageList } from '../../protocol/messages.ts';
import type { AppProcess } from './app-process.ts';
import type { UnfitAppError } from './process-failure.ts';

export type SpareProcess = Pick<
  AppProcess,
  | 'isAlive'
  | 'preload'
  | 'preloaded'
  | 'prepared'
  | 'exited'
  | 'setPace'
  | 'anticipate'
  | 'activate'
  | 'kill'
>;

export interface SpareKeeperOptions<A> {
  /** Makes an app process that waits for `preload`. */
  fork(): A;
  /** What the next app starts with: its environment and reloaders. */
  activation(): Activation;
  /** The packages that the serving app has loaded; null if they must not be loaded ahead. */
  listPackages(): Promise<PackageList | null>;
  /** Whether a person waits for other work of this machine. */
  isBusy(): boolean;
  log(line: string): void;
  /** @default the memory that the system, or the container, has left */
  availableBytes?(): number;
  /** A spare that exists already. */
  first?: A | undefined;
}

/** The keeper makes a spare this long after a start or a change: the requests that follow at once come first. */
const CALM_MS = 250;
/** The keeper checks this often whether a loading spare slows a request down. */
const PACE_CHECK_MS = 10;
/** A spare of a small shop takes 320 MB. With less memory left than this, it would push other programs out. */
const NEEDED_BYTES = 1024 ** 3;
/** With less memory left than this, the keeper ends an existing spare. */
const RESERVED_BYTES = 512 * 1024 ** 2;
const MEMORY_CHECK_MS = 5_000;

/** After this many spares in a row with the wrong packages, spares load none ahead. */
const MISFIT_LIMIT = 2;
/** After this many spares have failed by themselves, the keeper makes no more. */
const FAILURE_LIMIT = 2;

/** Keeps one app process in reserve, so that a restart does not wait for packages to load. */
export class SpareKeeper<A extends SpareProcess = AppProcess> {
  readonly #options: SpareKeeperOptions<A>;
  readonly #availableBytes: () => number;
  #spare: A | undefined;
  /** Whether the latest spare has loaded nothing but Medusa. */
  #isPlain = true;
  /** Set while the keeper waits for calm. */
  #timer: NodeJS.Timeout | undefined;
  /** Set while there is a spare. */
  #memoryCheck: NodeJS.Timeout | undefined;
  /** Set while a spare loads. */
  #paceCheck: NodeJS.Timeout | undefined;
  /** Whether the spare was last told to load slowly. */
  #isSlow = false;
  /** Bumped whenever the spare being made becomes obsolete. */
  #epoch = 0;
  /** How many spares in a row had the wrong packages. */
  #misfits = 0;
  /** How many spares of this session never became usable. */
  #failures = 0;
  #isClosed = false;

  constructor(options: SpareKeeperOptions<A>) {
    this.#options = options;
    this.#availableBytes = options.availableBytes ?? systemAvailableBytes;
    this.#spare = options.first;
  }

  /** An app serves: makes a spare after a moment of calm, unless there is one. */
  wake(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (!this.#isClosed && !this.#spare) {
      this.#timer = setTimeout(() => void this.#make(), CALM_MS);
    }
  }

  /** Files change: puts a spare off that is not made yet. */
  stir(): void {
    if (this.#timer) {
      this.wake();
    }
  }

  /** A person waits for other work from now on: a loading spare gives way at once. */
  giveWay(): void {
    if (this.#paceCheck) {
      this.#setPace(true);
    }
  }

  /** Tells the spare that it will be taken in a moment. */
  anticipate(): void {
    this.#spare?.anticipate();
  }

  /** Makes the spare the next app. @returns undefined if there is no spare */
  take(): A | undefined {
    const spare = this.#spare;
    this.#forget();
    if (!spare?.isAlive) {
      return undefined;
    }
    spare.activate(this.#options.activation());
    return spare;
  }

  /** Ends the spare: its packages are out of date, or memory is short. */
  drop(reason: string): void {
    if (this.#spare) {
      this.#log(`dropped: ${reason}`);
      const spare = this.#spare;
      this.#forget();
      spare.kill();
    } else {
      this.#epoch++;
    }
    this.#misfits = 0;
  }

  /** A spare that was taken could not be used. */
  noteUnfit({ message, wasPrepared }: UnfitAppError): void {
    this.#misfits += wasPrepared ? 1 : 0;
    this.#log(`not used: ${message}`);
  }

  /** A spare that was taken serves as the app. */
  noteUse(): void {
    if (!this.#isPlain) {
      this.#misfits = 0;
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    const spare = this.#spare;
    this.#forget();
    spare?.kill();
    await spare?.exited;
  }

  async #make(): Promise<void> {
    this.#timer = undefined;
    if (this.#failures >= FAILURE_LIMIT) {
      return;
    }
    const available = this.#availableBytes();
    if (available < NEEDED_BYTES) {
      this.#log(`none: only ${Math.round(available / 1024 ** 2)} MB of memory are left`);
      return;
    }
    const epoch = this.#epoch;
    const isDoubtful = this.#misfits >= MISFIT_LIMIT || this.#failures > 0;
    const packages = isDoubtful ? null : await this.#options.listPackages();
    if (epoch !== this.#epoch || this.#isClosed || this.#spare) {
      return;
    }
    let spare: A;
    try {
      spare = this.#options.fork();
    } catch (error) {
      this.#log(`none: ${error instanceof Error ? error.message : error}`);
      return;
    }
    this.#spare = spare;
    this.#isPlain = packages === null;
    spare.prepared.catch((error: unknown) => {
      if (this.#spare === spare) {
        this.#failures++;
        this.#log(`failed: ${error instanceof Error ? error.message : error}`);
        this.#forget();
        spare.kill();
        this.wake();
      }
    });
    void spare.preloaded.then((files) => {
      if (this.#spare === spare) {
        clearInterval(this.#paceCheck);
        this.#paceCheck = undefined;
        this.#log(`ready, with ${files} files of packages`);
      }
    });
    spare.preload(packages);
    this.#isSlow = false;
    this.#paceCheck = setInterval(() => this.#setPace(this.#options.isBusy()), PACE_CHECK_MS);
    this.#memoryCheck = setInterval(() => {
      if (this.#availableBytes() < RESERVED_BYTES) {
        this.drop('memory is short');
      }
    }, MEMORY_CHECK_MS);
  }

  #setPace(isSlow: boolean): void {
    if (this.#isSlow !== isSlow) {
      this.#isSlow = isSlow;
      this.#spare?.setPace(isSlow ? 'slow' : 'full');
    }
  }

  #forget(): void {
    this.#epoch++;
    this.#spare = undefined;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    clearInterval(this.#memoryCheck);
    clearInterval(this.#paceCheck);
    this.#paceCheck = undefined;
  }

  #log(line: string): void {
    this.#options.log(`spare: ${line}`);
  }
}

/** In a container, counts the container's share only. */
function systemAvailableBytes(): number {
  // Node has `availableMemory` from 20.13 on; Node's types for 20 lack it.
  const { availableMemory } = process as { availableMemory?(): number };
  const available = availableMemory?.() ?? freemem();
  // On a Mac, libuv before 1.52 counts caches as used: next to nothing seems left, whatever the load.
  return process.platform === 'darwin' ? Math.max(available, totalmem() / 4) : available;
}

/** These arguments load code, perhaps the project's, which a spare would run too early. */
const LOADING_ARGS = /(?:^|\s)(?:-r|--require|--import|--loader|--experimental-loader)(?:[=\s]|$)/;

/** Whether an app process may start before it is needed. */
export function canWait(nodeArgs: string[], env: NodeJS.ProcessEnv): boolean {
  return !LOADING_ARGS.test([...nodeArgs, env.NODE_OPTIONS ?? ''].join(' '));
}
