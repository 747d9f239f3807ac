import type {
  ReloadContext,
  ResourceReload,
} from '../../../../src/app/reloaders/resource-reloader.ts';
import type { Registry } from '../../../../src/medusa/workflows/registry.ts';
import type { ReloadFile } from '../../../../src/protocol/messages.ts';
import { relativeToRoot } from '../../../../src/shared/paths.ts';
import { type DecoratingReloader, lines, ROOT } from './memory-app.ts';

export interface RecorderOptions {
  isLazy?: boolean;
  isRegistering?: boolean;
  isDeferring?: boolean;
  accepts?(file: string): boolean;
  /** @returns members to replace those that log, if any */
  prepare?(files: ReloadFile[], context: ReloadContext): Promise<unknown>;
}

/** A reloader that logs its calls: `routes prepare update src/api/a/route.ts`. */
export function recordingReloader(name: string, options: RecorderOptions = {}): DecoratingReloader {
  const { prepare, ...rest } = options;
  return {
    name,
    ...rest,
    prepare: async (files, context) => {
      for (const { file, change } of files) {
        lines.push(`${name} prepare ${change} ${relativeToRoot(ROOT, file)}`);
      }
      return {
        resources: files.map(({ file }) => relativeToRoot(ROOT, file)),
        commit: () => lines.push(`${name} commit`),
        rollback: () => lines.push(`${name} rollback`),
        dispose: async () => void lines.push(`${name} dispose`),
        ...((await prepare?.(files, context)) as Partial<ResourceReload> | undefined),
      };
    },
  };
}

/** A registry that logs each call, with its arguments. */
export function recordingRegistry(registered: string[] = []): Registry {
  const log = (what: string) => void lines.push(`registry ${what}`);
  return {
    begin: (modules) =>
      log(`begin ${[...modules].map((id) => relativeToRoot(ROOT, id)).join(' ')}`),
    keep: (module) => log(`keep ${relativeToRoot(ROOT, module)}`),
    enter: () => log('enter'),
    leave: () => log('leave'),
    commit: () => {
      log('commit');
      return registered;
    },
    rollback: () => log('rollback'),
  };
}
