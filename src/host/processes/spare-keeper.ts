import { freemem, totalmem } from 'node:os';
import type { PackageList } from '../../protocol/messages.ts';
import type { Activation, AppProcess } from './app-process.ts';
import type { UnfitSpareError } from './process-failure.ts';

/** What is needed of a child that may be a spare. */
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
  /** Makes a process that waits to be told what to load. */
  fork(): A;
  /** What the next app is to be started with. */
  activation(): Activation;
  /** What the app that serves has loaded; null if that may not be loaded ahead. */
  listPackages(): Promise<PackageList | null>;
  /** Whether the processor is wanted for something that somebody waits for. */
  isBusy(): boolean;
  log(line: string): void;
  /** @default what the system, or the container, has left */
  availableBytes?(): number;
  /** A spare that is there already. */
  first?: A | undefined;
}

/** After a start, and after each save: the requests that come right then are what it was all for. */
const CALM_MS = 250;
/** A spare that loads is told this soon that it is in the way of a request. */
const PACE_CHECK_MS = 10;
/** A spare takes 320 MB on a small shop. With less than this left, it would push something else out. */
const NEEDED_BYTES = 1024 ** 3;
/** With less than this left, a spare that is there makes room. */
const RESERVED_BYTES = 512 * 1024 ** 2;
const MEMORY_CHECK_MS = 5_000;

/** Packages are loaded ahead as long as fewer spares than this were unfit in a row because of it. */
const MISFIT_LIMIT = 2;
/** No more spares after this many have failed by themselves. */
const FAILURE_LIMIT = 2;

/** Has one child more than is needed, so that a restart does not wait for packages to load. */
export class SpareKeeper<A extends SpareProcess = AppProcess> {
  readonly #options: SpareKeeperOptions<A>;
  readonly #availableBytes: () => number;
  #spare: A | undefined;
  /** Whether the spare, or the one that was taken last, has nothing loaded but Medusa. */
  #isPlain = true;
  /** Set while it is waited for calm. */
  #timer: NodeJS.Timeout | undefined;
  /** Set while there is a spare. */
  #memoryCheck: NodeJS.Timeout | undefined;
  /** Set while a spare loads. */
  #paceCheck: NodeJS.Timeout | undefined;
  /** What the spare was told last. */
  #isSlow = false;
  /** Changed by whatever makes a spare that is being made a thing of the past. */
  #epoch = 0;
  /** In a row: spares that had the wrong packages. */
  #misfits = 0;
  /** Of this session: spares that did not come to the point where they could be used. */
  #failures = 0;
  #isClosed = false;

  constructor(options: SpareKeeperOptions<A>) {
    this.#options = options;
    this.#availableBytes = options.availableBytes ?? systemAvailableBytes;
    this.#spare = options.first;
  }

  /** An app serves: when it has been calm for a while, there will be a spare. */
  wake(): void {
    this.#wait();
  }

  /** Something is going on: a spare that is not there yet comes later. */
  stir(): void {
    if (this.#timer) {
      this.#wait();
    }
  }

  /** Somebody waits for something else from now on; a spare that loads gives way at once. */
  giveWay(): void {
    if (this.#paceCheck) {
      this.#setPace(true);
    }
  }

  /** It will be taken in a moment. */
  anticipate(): void {
    this.#spare?.anticipate();
  }

  /** @returns the next app, which is on its way from here on; undefined if there is no spare */
  take(): A | undefined {
    const spare = this.#spare;
    this.#forget();
    if (!spare?.isAlive) {
      return undefined;
    }
    spare.activate(this.#options.activation());
    return spare;
  }

  /** What it has loaded is out of date. */
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
  noteUnfit({ message, wasPrepared }: UnfitSpareError): void {
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

  kill(): void {
    void this.close();
  }

  #wait(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (!this.#isClosed && !this.#spare) {
      this.#timer = setTimeout(() => void this.#make(), CALM_MS);
    }
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
        this.#wait();
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

/** Of the container, where there is one. */
function systemAvailableBytes(): number {
  // Node 20.13 has it, Node's types for 20 do not.
  const { availableMemory } = process as { availableMemory?(): number };
  const available = availableMemory?.() ?? freemem();
  // On a Mac it is what nobody has used at all, without caches: next to nothing, whatever the load. (libuv before 1.52)
  return process.platform === 'darwin' ? Math.max(available, totalmem() / 4) : available;
}

/** Code that these load would run in a spare before its time, and may well be the project's. */
const LOADING_ARGS = /(?:^|\s)(?:-r|--require|--import|--loader|--experimental-loader)(?:[=\s]|$)/;

/** Whether a process can be made before it is needed. */
export function canWait(nodeArgs: string[], env: NodeJS.ProcessEnv): boolean {
  return !LOADING_ARGS.test([...nodeArgs, env.NODE_OPTIONS ?? ''].join(' '));
}
