export * from './app/reloaders/public-reloader.ts';
