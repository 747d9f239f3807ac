import { APP_OPTIONS_ENV, type AppOptions } from '../../protocol/messages.ts';

/** What the host told this process when it was forked; nobody else is to see it. */
export const options: AppOptions = JSON.parse(process.env[APP_OPTIONS_ENV] ?? '{}');
delete process.env[APP_OPTIONS_ENV];
