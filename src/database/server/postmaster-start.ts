import { setTimeout as wait } from 'node:timers/promises';
import { MedusaViteError } from '../../shared/failure.ts';
import { DATABASE_FOLDER_NAME } from '../database-folder.ts';
import { Postmaster, type PostmasterOptions, READY_WAIT_MS } from './postmaster.ts';

/** Another program may take the port between our choice and PostgreSQL's bind. */
const PORT_ATTEMPTS = 5;
/** The workers of a killed PostgreSQL notice it within a second, and leave its shared memory. */
const SHARED_MEMORY_WAIT_MS = 10_000;
const SHARED_MEMORY_POLL_MS = 200;

/**
 * Starts PostgreSQL and waits until it answers. `onSpawn` gets each attempt, so that a stop in the middle of the
 * start reaches it.
 */
export async function startPostmaster(
  options: PostmasterOptions & { onSpawn(postmaster: Postmaster): void },
): Promise<Postmaster> {
  const sharedMemoryUntil = Date.now() + SHARED_MEMORY_WAIT_MS;
  for (let attempt = 1; ; ) {
    const postmaster = await Postmaster.spawn(options);
    options.onSpawn(postmaster);
    if (await postmaster.waitUntilReady()) {
      return postmaster;
    }
    const output = await postmaster.describeFailure();
    const { hasEnded } = postmaster;
    await postmaster.stop();
    if (hasEnded && isPortTaken(output) && attempt < PORT_ATTEMPTS) {
      attempt += 1;
    } else if (hasEnded && isSharedMemoryInUse(output) && Date.now() < sharedMemoryUntil) {
      await wait(SHARED_MEMORY_POLL_MS);
    } else {
      throw startFailure(output, hasEnded);
    }
  }
}

function isPortTaken(output: string): boolean {
  return /could not (?:bind|create any TCP\/IP)/.test(output);
}

function isSharedMemoryInUse(output: string): boolean {
  return output.includes('pre-existing shared memory block');
}

function startFailure(output: string, hasEnded: boolean): MedusaViteError {
  if (output.includes('ENOENT')) {
    return new MedusaViteError(`PostgreSQL could not be executed: ${output}`, {
      code: 'DATABASE_START_FAILED',
      hint: 'Its programs need the C library of the GNU project (glibc), which Alpine has not: set `DATABASE_URL` there.',
    });
  }
  const what = hasEnded ? 'ended while it started' : `did not answer within ${READY_WAIT_MS} ms`;
  return new MedusaViteError(`PostgreSQL ${what}:\n${output}`, {
    code: 'DATABASE_START_FAILED',
    hint: `Mend what it names; to start with an empty database, delete \`${DATABASE_FOLDER_NAME}\`; or set \`DATABASE_URL\`.`,
  });
}
