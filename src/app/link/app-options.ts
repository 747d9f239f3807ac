import { APP_OPTIONS_ENV, type AppOptions } from '../../protocol/messages.ts';

/** The host passes them when it forks this process. Processes that the app starts must not see them. */
export const options: AppOptions = JSON.parse(process.env[APP_OPTIONS_ENV] ?? '{}');
delete process.env[APP_OPTIONS_ENV];
