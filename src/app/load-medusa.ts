import { readDotEnv } from '../medusa/boot/dot-env.ts';
import { MedusaPackages } from '../medusa/packages.ts';
import { PatchedMedusa, type PatchedMedusaOptions } from './patched-medusa.ts';
import { hookNativeRequire } from './runner/native/require-hook.ts';
import type { PackageTrace } from './spare/package-trace.ts';
import type { Spare } from './spare/spare.ts';

export interface LoadMedusaOptions extends PatchedMedusaOptions {
  spare: Pick<Spare, 'assertActivated' | 'note' | 'unnoted'> | undefined;
  trace: PackageTrace;
}

/**
 * Loads Medusa, and nothing of the project. From here on, Node and Medusa get the project's files from the runner.
 * @throws MedusaViteError if Medusa is missing, or is not what this package expects
 */
export function loadMedusa({ spare, trace, ...options }: LoadMedusaOptions): PatchedMedusa {
  const { root, code } = options;
  process.chdir(root);
  const packages = new MedusaPackages(root);
  hookNativeRequire({
    root,
    requireFile: (file) => {
      spare?.assertActivated(file);
      return trace.insideProject(() => code.requireEntry(file));
    },
    onNative: (file) => code.noteNative(file),
    load: (file, load) => {
      spare?.note(file);
      trace.insidePackage(load);
    },
  });
  if (spare) {
    // It reads `.env` once more when it is activated.
    spare.unnoted(() => readDotEnv(packages));
  } else {
    readDotEnv(packages);
  }
  return new PatchedMedusa(packages, options);
}
