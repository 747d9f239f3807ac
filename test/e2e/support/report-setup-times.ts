import { beforeEach } from 'vitest';
import { setupTimes } from './setup-times.ts';

// Runs in every test file that starts a Medusa; see vite.config.ts. Later times go into the same object.
beforeEach(({ task }) => {
  task.file.meta.setupTimes = setupTimes;
});
