import { beforeEach } from 'vitest';
import { setupTimes } from './setup-times.ts';

// Runs in every file of the projects in vite.config.ts that start a Medusa. What comes later is in the same object.
beforeEach(({ task }) => {
  task.file.meta.setupTimes = setupTimes;
});
