import type { FileChange } from '../shared/change.ts';
import { describeExit, type ProcessExit } from '../shared/process/process-exit.ts';

/** Why another app process takes the place of the one that runs. All paths are relative to the project. */
export type RestartReason =
  | { type: 'start' }
  | { type: 'crash' }
  | { type: 'key' }
  /** The host itself is another one. */
  | { type: 'host-replaced'; paths: string[] }
  /** Whatever the rules say: backend HMR is off, no app runs, or Vite itself was restarted. */
  | { type: 'files-changed'; paths: string[] }
  /** By a rule. */
  | { type: 'file-changed'; path: string; change: FileChange }
  | { type: 'native-file-changed'; path: string; change: FileChange }
  | { type: 'no-reloader'; path: string }
  /** `importer` cannot be evaluated again. `rule`: the one that says so, if any. */
  | { type: 'import-changed'; path: string; importer: string; rule: string | undefined }
  | ({ type: 'app-exited' } & ProcessExit)
  | { type: 'app-hung' }
  | { type: 'reload-too-slow'; limitMs: number }
  | { type: 'reload-failed'; message: string }
  | { type: 'commit-failed'; message: string }
  | { type: 'registers-asynchronously'; path: string }
  | { type: 'reloader-unusable'; reloader: string }
  /** In the words of a reloader of the author's own. */
  | { type: 'asked-by-reloader'; text: string }
  | ModuleReason;

/** Why a Medusa module, or a provider, cannot be replaced in the running app. */
export type ModuleReason =
  | { type: 'module-not-loaded'; module: string }
  | { type: 'module-parts-changed'; module: string }
  | { type: 'module-loader-services'; module: string }
  | { type: 'module-loader-misses'; module: string; missing: string[] }
  | { type: 'module-loader-adds'; module: string }
  | { type: 'joiner-config-in-use'; module: string; dependent: string }
  | { type: 'provider-identity'; provider: string };

/** Why a change does nothing. */
export type IgnoreReason =
  | { type: 'not-loaded' }
  | { type: 'content-unchanged' }
  | { type: 'code-unchanged' }
  | { type: 'rule'; rule: string }
  | { type: 'not-watched'; folder: string };

export type Reason = RestartReason | IgnoreReason;

/** The one place where a reason becomes a text: for the terminal, events, `explain` and who waits for the app. */
export function describeReason(reason: Reason): string {
  switch (reason.type) {
    case 'start':
    case 'crash':
      return reason.type;
    case 'key':
      return 'asked for by a key';
    case 'host-replaced':
      return `${reason.paths.join(', ')} changed`;
    case 'files-changed': {
      const [first = '', ...rest] = reason.paths;
      return rest.length === 0 ? `${first} changed` : `${first} and ${rest.length} more changed`;
    }
    case 'file-changed':
      return `${reason.path} ${PAST_TENSE[reason.change]}`;
    case 'native-file-changed':
      return `${reason.path} ${PAST_TENSE[reason.change]}, and Node has loaded it natively`;
    case 'no-reloader':
      return `${reason.path} changed, and nothing reloads it in place`;
    case 'import-changed': {
      const rule = reason.rule === undefined ? '' : ` (${reason.rule})`;
      return `${reason.path} changed, used by ${reason.importer}${rule}`;
    }
    case 'app-exited':
      return `the app exited ${describeExit(reason)}`;
    case 'app-hung':
      return 'the app does not answer, as in an endless loop';
    case 'reload-too-slow':
      return `the reload took longer than ${reason.limitMs / 1000} s`;
    case 'reload-failed':
      return `the reload failed: ${reason.message}`;
    case 'commit-failed':
      return `the reload failed half-way: ${reason.message}`;
    case 'registers-asynchronously':
      return `${reason.path} has a top-level await, and registers what it defines`;
    case 'reloader-unusable':
      return `the reloader ${reason.reloader} cannot be used`;
    case 'asked-by-reloader':
      return reason.text;
    case 'not-loaded':
      return 'not loaded by the app';
    case 'content-unchanged':
      return 'content unchanged';
    case 'code-unchanged':
      return 'the emitted code is the same';
    case 'rule':
      return `ignored by the rule \`${reason.rule}\``;
    case 'not-watched':
      return `nothing below \`${reason.folder}\` is watched`;
    default:
      return describeModuleReason(reason);
  }
}

function describeModuleReason(reason: ModuleReason): string {
  switch (reason.type) {
    case 'module-not-loaded':
      return `the module ${reason.module} is not one that the app has loaded`;
    case 'module-parts-changed':
      return `the services or loaders of the module ${reason.module} are others now`;
    case 'module-loader-services':
      return `services of the module ${reason.module} may hold what its loaders register`;
    case 'module-loader-misses':
      return `a loader of the module ${reason.module} does not register ${reason.missing} now`;
    case 'module-loader-adds':
      return `a loader of the module ${reason.module} adds to what is registered`;
    case 'joiner-config-in-use':
      return `the joiner config of the module ${reason.module} changed, and is built into ${reason.dependent}`;
    case 'provider-identity':
      return `the provider ${reason.provider} has another identifier, name, lifetime or validateOptions now`;
  }
}

const PAST_TENSE: Record<FileChange, string> = {
  create: 'was added',
  update: 'changed',
  delete: 'was deleted',
};
