import { afterAll } from 'vitest';
import { setupTimes } from './setup-times.ts';

// Runs in every file of the projects in vite.config.ts that start a Medusa.
afterAll((_, { file }) => {
  file.meta.setupTimes = setupTimes;
});
