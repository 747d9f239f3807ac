import type { SerializedError } from '../shared/serialized-error.ts';
import type { AdminRequest, AdminState } from './admin.ts';
import type { RestartReason } from './reason.ts';

/** What a module is executed from; `externalize` names a file or package that Node loads natively. */
export type FetchedModule =
  | {
      code: string;
      /** Set if evaluating it only declares: no effect that could be seen, and no way to fail by itself. */
      isInert?: true;
      /** Exports declared by `const`; primitive ones never change once it is evaluated. */
      constants?: string[];
      externalize?: undefined;
    }
  | { externalize: string; code?: undefined };

/** What the app is told when it is forked, in the environment variable named below. */
export interface AppOptions {
  /** Absolute, posix, real path of the project. */
  root: string;
  port: number;
  host: string | undefined;
  /** Whether to write `.medusa/types` once the app is ready. */
  types: boolean;
  /** Node's inspector; opened by the app itself, because a flag would clash with the app that still runs. */
  inspect: InspectOptions | undefined;
  /** Reloaders of the authors' own, which rules have named. */
  reloaders: ReloaderModule[];
  /** Whether to stop before the config and wait for `activate`. */
  isSpare: boolean;
  /** Of a process that is made only to find out how this ends. */
  trial: Trial | undefined;
}

/**
 * A module that the running app could not evaluate, and the message of what it threw. A restart may be what
 * mends it (a variable, an alias, a package), or else would only take down what runs.
 */
export interface Trial {
  module: string;
  message: string;
}

export interface ReloaderModule {
  /** Its path relative to the project, or its specifier: what plans and messages call it. */
  name: string;
  /** Absolute and posix, or the specifier of a package that Node finds from the project. */
  specifier: string;
  /** Which rule has named it first, in words. */
  owner: string;
}

export interface InspectOptions {
  host: string;
  port: number;
  /** Whether to wait for a debugger (`--inspect-brk`). */
  wait: boolean;
}
export const APP_OPTIONS_ENV = 'MEDUSA_VITE_APP';

/**
 * What a spare loads before it is needed: the files in `node_modules` that the running app has asked for
 * from outside of them, in that order. What else they load follows from them.
 */
export interface PackageList {
  /** While the config was evaluated. */
  config: string[];
  /** From then until the app was ready. */
  boot: string[];
  /** Variables that the config has set, or removed (null). */
  env: Record<string, string | null>;
  /** Medusa's feature flags; packages look at them while they are loaded. */
  flags: Record<string, unknown>;
  /** What Medusa has made its GraphQL schema of, if it has. */
  schema?: string | undefined;
}

/** What an update asks of the app: everything that it needs to know travels in this one message. */
export interface ReloadPlan {
  /** Ids of the modules whose evaluated code is out of date, importers included. */
  invalidated: string[];
  /** Code of those that were transformed anew, so that the app needs no further trip to the host. */
  modules: Record<string, FetchedModule>;
  /** Invalidated modules that are still imported, though perhaps not by the files below: all must evaluate. */
  evaluate: string[];
  /** Invalidated modules whose file is gone: their code must not live on. */
  deleted: string[];
  steps: ReloadStep[];
  guards: ReloadGuard[];
  /** Invalidated files of steps that nothing imports: they can be evaluated later, if they are inert. */
  deferrable: string[];
  /** Whether all that is invalidated must evaluate, also what has not imported anything different. */
  isForced: boolean;
}

/**
 * A module that cannot be evaluated again in the running app, and one that it imports and that is evaluated
 * anew. If what it imports is not the same afterwards, the app has to restart.
 */
export interface ReloadGuard {
  importer: string;
  imported: string;
  reason: RestartReason;
}

export interface ReloadStep {
  /** Name of the reloader. */
  reloader: string;
  /** Resource files that it brings up to date. */
  files: ReloadFile[];
}

export interface ReloadFile {
  /** Absolute, posix. */
  file: string;
  change: 'create' | 'update' | 'delete';
}

export type ReloadOutcome =
  | { type: 'reloaded'; resources: string[]; modules: number; timing: ReloadTiming }
  /** `module`: the one that the app has asked for when the error came, if it was evaluated just then. */
  | { type: 'kept-previous'; error: SerializedError; module?: string }
  | { type: 'restart-needed'; reason: RestartReason };

/** Milliseconds. */
export interface ReloadTiming {
  evaluate: number;
  prepare: number;
  commit: number;
}

/** A piece of code that is the same in two versions: where it is in the one, in the other, and how long. */
export type KeptCode = [before: number, after: number, length: number];

/** A module that has changed and runs the same, but whose lines are elsewhere now. */
export interface Retrace {
  file: string;
  /** As it would be evaluated, with its source map. */
  code: string;
  /** What it has in common with the code that runs. */
  kept: KeptCode[];
}

/** What may have changed since a spare was made. */
export interface Activation {
  /** The complete environment; nothing else is inherited. */
  env: NodeJS.ProcessEnv;
  reloaders: ReloaderModule[];
}

export type HostToApp =
  /** Boot Medusa; sent once, after `prepared`, when no other app runs any more. */
  | { type: 'start'; sessions: Record<string, string> }
  | { type: 'hmr-reload'; id: number; plan: ReloadPlan }
  /** To a spare: what to load; null if only Medusa itself. */
  | { type: 'preload'; packages: PackageList | null }
  /** To a spare: it is about to be activated. */
  | { type: 'anticipate' }
  /** To a spare: become the next app, in this environment. */
  | ({ type: 'activate' } & Activation)
  /** To an app that serves. */
  | { type: 'list-packages'; id: number }
  /** Modules that nothing imports any more. */
  | { type: 'prune'; ids: string[] }
  /** Nothing is evaluated: for the lines in stack traces only. */
  | { type: 'retrace'; modules: Retrace[] }
  /** New requests wait, for a change was seen; until `release`, or a limit. */
  | { type: 'hold' }
  | { type: 'release' }
  /** Finish requests in flight, dispose, close connections and exit. */
  | { type: 'shutdown' }
  /** How the admin process is doing: sent when it was asked for, and at each change from then on. */
  | { type: 'admin'; state: AdminState }
  | { type: 'ping' };

/** Of the connections, which have a place of their own at both ends. */
export type ConnectionMessage =
  /** Where to note what each connection is doing; sent before the first one. */
  | { type: 'connection-ledger'; file: string }
  /**
   * Comes with a socket handle. `isReused`: requests were answered on it before. `repeat`: head of a request that
   * was read from it already, by an app that died.
   */
  | { type: 'connection'; slot: number; isReused: boolean; repeat?: string };

/** Which message of the app answers which request of the host. Both carry the same `id`. */
export interface AppReplies {
  'hmr-reload': 'hmr-result';
  'list-packages': 'packages';
}

export type AppToHost =
  /** Medusa is loaded and the config evaluated, nothing runs yet. */
  | { type: 'prepared'; app: PreparedApp }
  | { type: 'ready' }
  /** A spare has loaded what it was told to. */
  | { type: 'preloaded'; files: number }
  /** What the app has loaded; null if nothing of it may be loaded before the config. */
  | { type: 'packages'; id: number; packages: PackageList | null }
  /** A spare, or an app that was one, is not what a new process would be; the process exits right after. */
  | { type: 'unfit'; reason: string }
  /** Preparing or booting failed; the process exits right after. */
  | { type: 'boot-failed'; error: SerializedError }
  | { type: 'hmr-result'; id: number; outcome: ReloadOutcome }
  /** What the host cannot see in Vite's module graph. */
  | { type: 'loaded'; loaded: LoadedReport }
  /** Something that the user has to know, though the app goes on. */
  | { type: 'warning'; error: SerializedError }
  /** `import.meta.hot.invalidate`: the module cannot take its own update after all. */
  | { type: 'invalidate'; id: string }
  /** Who is logged in, for the next app; sent when this one stops. */
  | { type: 'sessions'; sessions: Record<string, string> }
  /** What the admin process is to serve; undefined if this app has no admin. */
  | { type: 'admin-wanted'; request: AdminRequest | undefined }
  /** A request came for an admin process that has failed: it is worth another try. */
  | { type: 'admin-retry' }
  /** Medusa's own code is about to keep the app from answering, or is done with that. */
  | { type: 'busy'; isBusy: boolean }
  | { type: 'pong' }
  /** An inspector is open, whoever has opened it: the app may stand still at a breakpoint. */
  | { type: 'debugged' };

/** Connections that ended, and idle ones that the app gives back for the next app to serve. */
export interface ConnectionsReport {
  type: 'connections';
  closed: number[];
  returned: number[];
}

export interface PreparedApp {
  /** The feature flag `backend_hmr`. */
  backendHmr: boolean;
  /** Where the dashboard is served, e.g. `/app`; null if it is switched off. */
  adminPath: string | null;
}

export interface LoadedReport {
  /** Files that one of Medusa's loaders asked for by itself. */
  entries: string[];
  /** Modules tied to each other by `require()` or a computed `import()`. */
  edges: [importer: string, id: string][];
  /** Files outside `node_modules` that Node loaded natively: only a restart can bring them up to date. */
  natives: string[];
  /** `import.meta.hot.accept`: modules that take the update of a dependency, or of themselves. */
  accepts: [id: string, dependencies: string[]][];
}
