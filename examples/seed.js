// For `npm run demo`: fills the shop's embedded database, so that its store API answers and its admin lets you in.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { startEmbeddedDatabase } from '../dist/src/database/embedded.js';
import { migrateIfPending } from '../dist/src/medusa/migrations/migrations.js';

const root = join(import.meta.dirname, 'shop');
/** Says that the database beside it has been filled. */
const keyFile = join(root, '.medusa/publishable-key');
/** The seed boots a Medusa. */
const SEED_LIMIT_MS = 120_000;

const log = (line) => process.stdout.write(`${line}\n`);

const hasOwnDatabase = 'DATABASE_URL' in process.env || existsSync(join(root, '.env'));
if (hasOwnDatabase) {
  log('The shop has settings of its own: nothing is seeded.');
} else {
  const key = await seed();
  log(`Admin: http://localhost:9000/app, admin@shop.test, supersecret`);
  log(`Store: curl http://localhost:9000/store/products -H 'x-publishable-api-key: ${key}'`);
}

async function seed() {
  const isFilled = existsSync(keyFile) && existsSync(join(root, '.medusa/postgres'));
  if (isFilled) {
    return readFileSync(keyFile, 'utf8');
  }
  const database = await startEmbeddedDatabase({ root, log });
  try {
    const { env } = process;
    await migrateIfPending({ root, database, env, log });
    log('filling the database');
    const cli = createRequire(join(root, 'package.json')).resolve('@medusajs/cli/cli.js');
    const { code, output } = await database.run({
      command: process.execPath,
      args: [cli, 'exec', './src/scripts/seed.ts'],
      cwd: root,
      env: { ...env, DATABASE_URL: database.url },
      limitMs: SEED_LIMIT_MS,
    });
    const key = /^SHOP_PUBLISHABLE_KEY=(\w+)$/m.exec(output)?.[1];
    if (code !== 0 || key === undefined) {
      throw new Error(`The seed ended with code ${code}:\n${output}`);
    }
    writeFileSync(keyFile, key);
    return key;
  } finally {
    await database.stop();
  }
}
